// Do the brokers answer, are the topics there, and is the configuration good? Enter: settings and a time limit. Leave: findings.
// Never: a change; a throw for what a cluster may answer.
import type { Millis } from '../../shared/clock.ts'
import { errorText } from '../../shared/error-text.ts'
import type { Connection } from '../../shared/forwarding/connection.ts'
import { openAdmin } from '../../shared/kafka/admin.ts'
import { ownTopic } from '../../shared/kafka/plan-topics.ts'
import { findTopics } from '../../shared/kafka/topics.ts'
import type { Settings } from '../../shared/settings.ts'
import { openBoundedCluster } from '../cluster.ts'
import { readDirectory } from '../read-directory.ts'
import { findGrown } from '../topics/find-grown.ts'
import { counted, type Finding } from './finding.ts'

export async function checkCluster(
  settings: Settings,
  timeout: Millis,
  signal: AbortSignal,
): Promise<{ readonly findings: readonly Finding[]; readonly connections: readonly Connection[] }> {
  const { brokers } = settings.kafka
  const { kafka, within } = openBoundedCluster(settings.kafka, timeout)
  const findings: Finding[] = []
  let connections: readonly Connection[] = []
  try {
    await using admin = await within(openAdmin(kafka), signal)
    const ids = await within(admin.brokers(), signal)
    findings.push({
      kind: 'good',
      about: 'brokers',
      text: `${counted(ids.length, 'broker')}, reached through ${brokers.join(', ')}`,
    })
    const topics = await within(findTopics(admin, settings, brokers, { sources: false }), signal)
    const missing = topics.create.map(({ name }) => name)
    for (const name of missing)
      findings.push({ kind: 'bad', about: 'topics', text: `${name} is missing: run npx onward topics` })
    for (const name of topics.missingSources) {
      findings.push({
        kind: 'bad',
        about: 'topics',
        text: `${name} is missing, a source topic: upstream creates it; for a trial run npx onward topics --sources`,
      })
    }
    for (const { topic, what, is, wanted } of topics.differs) {
      findings.push({
        kind: 'note',
        about: 'topics',
        text: `${topic}: ${what} is ${is} and should be ${wanted} (npx onward topics says how)`,
      })
    }
    if (missing.length + topics.missingSources.length === 0)
      findings.push({ kind: 'good', about: 'topics', text: 'all are there' })
    const config = ownTopic(settings.topicPrefix, 'config')
    if (!missing.includes(config)) {
      const directory = await within(readDirectory(kafka, config, signal), signal)
      connections = directory.connections()
      const counts = `${counted(directory.connections().length, 'connection')} and ${counted(directory.repeaters().length, 'repeater')} in force`
      findings.push({ kind: 'good', about: 'configuration', text: counts })
      for (const { growth } of await within(findGrown(admin, settings, directory), signal)) {
        const { topic, before, after } = growth
        const text = `${topic} has ${after} partitions, and ${after - before} of them wait for npx onward topics accept`
        findings.push({ kind: 'bad', about: 'topics', text })
      }
      for (const [key, reason] of directory.rejected) {
        findings.push({
          kind: 'bad',
          about: 'configuration',
          text: `the last record of ${key} is not valid, and the one before stays in force: ${reason}`,
        })
      }
    }
  } catch (error) {
    signal.throwIfAborted()
    findings.push({ kind: 'unreachable', about: 'brokers', text: errorText(error) })
  }
  return { findings, connections }
}
