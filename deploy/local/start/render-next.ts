// What to do after the story: lines to copy, and where things are. Pure, given where everything listens.
import type { ForwarderProcess } from './forwarder-process.ts'
import { exportLines, type PublishPlace } from './render-publish-lines.ts'
import type { Paint } from './screen.ts'

/** Ten lines that begin somebody's own file. */
const FIRST_RULES = `project: demo
connections:
  - id: mine
    url: http://127.0.0.1:9000/changes
    schedule: [1s, 5s, 30s]
repeaters:
  - id: cases
    connection: mine
    forward: cases
    format: json`

export function renderNext(
  place: PublishPlace,
  { origin }: Pick<ForwarderProcess, 'origin'>,
  mailbox: string,
  paint: Paint,
): readonly string[] {
  return [
    '',
    paint('bold', '6  What to do next'),
    '  It stays until Ctrl-C. Publish more from another shell, in this folder, and',
    '  watch it arrive here:',
    ...exportLines(place).map((line) => paint('cyan', `  ${line}`)),
    paint('cyan', '  npx onward publish samples'),
    '',
    `  Metrics    ${origin}/metrics`,
    `  Probes     ${origin}/readyz and ${origin}/livez`,
    `  Mailbox    ${mailbox}`,
    '  Rules      npx onward get',
    '  Notices    npx onward notices list',
    '',
    '  Your own endpoint: save this as forwarding.yaml and run',
    paint('cyan', '  npm start -- --file forwarding.yaml'),
    '',
    ...FIRST_RULES.split('\n').map((line) => paint('dim', `    ${line}`)),
    '',
    '  Every key of that file: docs/configuration.md. What a receiver gets:',
    '  docs/contract-receivers.md. How to publish: docs/contract-publishers.md.',
  ]
}
