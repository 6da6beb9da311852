// `onward apply`: forwarding files → the configuration topic. Validates everything, shows the difference, then writes.
// Never: a write while any file has a mistake; a removal without --prune.
import { writeConfig } from '../shared/forwarding/config-topic.ts'
import { renderProblem } from '../shared/forwarding/problem.ts'
import { ownTopic } from '../shared/kafka/plan-topics.ts'
import { openProducer } from '../shared/kafka/producer.ts'
import { environment, readSettings } from '../shared/settings.ts'
import { planApply, recordsOf, type PlannedChange } from './apply/plan-apply.ts'
import { renderPlan, renderPlanJson } from './apply/render-plan.ts'
import { readArguments, readTimeout, UsageError } from './arguments.ts'
import { CLUSTER_TIMEOUT, openBoundedCluster } from './cluster.ts'
import { readDirectory } from './read-directory.ts'
import { readFiles } from './read-files.ts'
import { styled } from './terminal.ts'
import { EXIT, type Verb } from './verb.ts'

const HELP = `Usage: onward apply -f FILE [-f FILE …] [options]

Validates forwarding files, shows how they differ from the configuration in force, and writes the difference. Running
forwarders take it over within a second, without a restart. A project has one file; what is in force and not in the file
stays unless --prune removes it.

Options:
  -f, --file FILE    a forwarding file, YAML or JSON; "-" reads standard input
  --dry-run          change nothing, only show the difference
  --prune            remove connections and repeaters of the files' projects that the files do not have
  --json             print the difference (or the mistakes) as JSON
  --timeout T        how long to wait for the cluster (default 10s)

Exit codes: 0 applied, or nothing to do; 1 a file is not valid, and nothing was written; 2 usage or settings;
3 the cluster does not answer; 10 with --dry-run: something would change.

Examples:
  onward apply -f forwarding.yaml --dry-run
  onward apply -f forwarding.yaml --prune
`

export const verb: Verb = {
  name: 'apply',
  summary: 'validate forwarding files and put them in force',
  help: HELP,
  run: async (args, terminal, signal) => {
    const { values, positionals } = readArguments(args, {
      file: { type: 'string', short: 'f', multiple: true },
      'dry-run': { type: 'boolean' },
      prune: { type: 'boolean' },
      json: { type: 'boolean' },
      timeout: { type: 'string' },
    })
    const [surplus] = positionals
    if (surplus !== undefined) throw new UsageError(`files are named with -f: onward apply -f ${surplus}`)
    if (!values.file || values.file.length === 0) throw new UsageError('no file: onward apply -f forwarding.yaml')
    const timeout = readTimeout(values.timeout, CLUSTER_TIMEOUT)
    const read = readFiles(values.file)
    if (read.kind === 'invalid') {
      const { problems } = read
      if (values.json) terminal.stdout(`${JSON.stringify({ problems })}\n`)
      else {
        for (const problem of problems) terminal.stderr(`${renderProblem(problem)}\n`)
        const count = problems.length === 1 ? '1 mistake' : `${problems.length} mistakes`
        terminal.stderr(`${styled(terminal, 'red', count)}: nothing was written.\n`)
      }
      return EXIT.failed
    }

    const settings = readSettings(environment())
    const topic = ownTopic(settings.topicPrefix, 'config')
    const { kafka, within } = openBoundedCluster(settings.kafka, timeout)
    const inForce = await within(readDirectory(kafka, topic, signal), signal)
    const plan = planApply(read.files, inForce, values.prune ?? false)
    const records = values['dry-run'] ? [] : recordsOf(plan)
    if (records.length > 0) {
      await using producer = await within(openProducer(kafka), signal)
      await within(writeConfig(producer, topic, records), signal)
    }
    const applied = !values['dry-run']
    terminal.stdout(values.json ? renderPlanJson(plan, applied) : renderPlan(plan, applied, terminal))
    return values['dry-run'] && wouldChange(plan) ? EXIT.wouldChange : EXIT.done
  },
}

const wouldChange = (plan: readonly PlannedChange[]): boolean => recordsOf(plan).length > 0
