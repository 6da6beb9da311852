// Lines to copy into another shell: each publishes one change that the rules let through. Pure.
// Enter: where the cluster is, the sample changes and the files they lie in. Leave: shell lines, broken where a shell allows it.
import type { SourceKind } from '../../../services/shared/change.ts'
import type { SampleChange } from './sample-change.ts'

export type PublishPlace = {
  readonly brokers: readonly string[]
  readonly registryUrl: string | null
  /** The source topics by kind; null: turned off. */
  readonly topics: Readonly<Record<SourceKind, string | null>>
  readonly topicPrefix: string
}

const DEFAULT_PREFIX = 'onward.'

/** What a sample lies in: `publish` takes a document, or a form's XML; kcat takes `key|document`. */
export type SampleFiles = { readonly publish: string | null; readonly kcat: string }

/** For `writeFile`: what the two files hold. */
export function sampleContents({ source, key, document }: SampleChange): { publish: string | null; kcat: string } {
  const publish =
    source === 'cases' ? `${JSON.stringify(document, null, 2)}\n` : source === 'forms' ? String(document['xml']) : null
  return { publish, kcat: `${key}|${JSON.stringify(document)}\n` }
}

/** First, once: what `npx onward` needs to know. */
export const exportLines = ({ brokers, registryUrl, topics, topicPrefix }: PublishPlace): readonly string[] => [
  `export KAFKA_BROKERS=${brokers.join(',')}`,
  ...(registryUrl === null ? [] : [`export SCHEMA_REGISTRY_URL=${registryUrl}`]),
  ...(['forms', 'cases', 'apps'] as const)
    .filter((kind) => topics[kind] !== kind)
    .map((kind) => `export ONWARD_TOPIC_${kind.toUpperCase()}=${topics[kind] ?? ''}`),
  ...(topicPrefix === DEFAULT_PREFIX ? [] : [`export ONWARD_TOPIC_PREFIX=${topicPrefix}`]),
]

export function publishLines({ source, key, document }: SampleChange, files: SampleFiles): readonly string[] {
  const project = `--project ${shellWord(String(document['project']))}`
  const file = `  --file ${shellWord(files.publish ?? '')}`
  switch (source) {
    case 'cases':
      return [`npx onward publish cases \\`, file]
    case 'forms':
      return [`npx onward publish forms ${project} --case-id ${shellWord(key)} \\`, file]
    case 'apps':
      return [`npx onward publish apps ${project} --app-id ${shellWord(key)}`]
  }
}

/** murmur2 is what every other publisher of a topic uses: with kcat's own partitioner a case would lie in two partitions. */
export const kcatLines = (topic: string, brokers: readonly string[], files: SampleFiles): readonly string[] => [
  `kcat -P -b ${brokers.join(',')} -t ${topic} \\`,
  `  -K '|' -X partitioner=murmur2_random \\`,
  `  -l ${shellWord(files.kcat)}`,
]

/** Quoted only where a shell would take it apart. */
export const shellWord = (text: string): string =>
  /^[A-Za-z0-9_./:@,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
