// A request as the receiver got it → lines for a person. Pure. Enter: the request. Leave: lines within the width.
import { fitText } from './fit-text.ts'
import { readReceived } from './read-received.ts'
import type { ReceivedRequest } from './receiver.ts'
import type { Paint } from './screen.ts'

/** What the contract says of every request, as it writes them; who accepts which is of no interest here. */
const SHOWN_HEADERS = [
  'Content-Type',
  'Content-Length',
  'Received-On',
  'Server-Modified-On',
  'Idempotency-Key',
  'Onward-Attempt',
  'Onward-Version',
]
const INDENT = '    '
const HEADER_COLUMNS = Math.max(...SHOWN_HEADERS.map((name) => name.length)) + 2
/** `← 200`. */
const STATUS_COLUMNS = 5
const REPEATER_COLUMNS = 9
const TARGET_COLUMNS = 13

/** All of it: the request line, the headers that matter, the body's length and beginning. */
export function renderWhole(request: ReceivedRequest, width: number, paint: Paint): readonly string[] {
  const { method, target, headers, body } = request
  const line = fitText(`${method} ${target}`, width - STATUS_COLUMNS - 4)
  return [
    `  ${paint('bold', line)}  ${renderStatus(request, paint)}`,
    ...SHOWN_HEADERS.flatMap((name) => {
      const value = headers.get(name.toLowerCase())
      if (value === undefined) return []
      return [
        `${INDENT}${paint('dim', name.padEnd(HEADER_COLUMNS))}${fitText(value, width - INDENT.length - HEADER_COLUMNS)}`,
      ]
    }),
    `${INDENT}${paint('cyan', renderBody(body, width - INDENT.length))}`,
  ]
}

/** Two lines: who, which attempt, what was answered; then the body. @param since the instant that counts as 0 */
export function renderBrief(request: ReceivedRequest, since: number, width: number, paint: Paint): readonly string[] {
  const delivery = readReceived(request)
  const time = `${(Math.max(0, request.at - since) / 1_000).toFixed(1)} s`.padStart(8)
  const told = [
    `${request.method} ${request.target}`.padEnd(TARGET_COLUMNS),
    (delivery?.repeater.split('/')[1] ?? 'unknown').padEnd(REPEATER_COLUMNS),
    `attempt ${delivery?.attempt ?? '?'}`,
    `version ${delivery?.version ?? '?'}`,
  ].join('  ')
  const indent = ' '.repeat(16)
  return [
    `${time}  ${renderStatus(request, paint)}  ${fitText(told, width - time.length - STATUS_COLUMNS - 4)}`,
    `${indent}${paint('dim', renderBody(request.body, width - indent.length))}`,
  ]
}

function renderStatus({ status }: ReceivedRequest, paint: Paint): string {
  return paint(status < 300 ? 'green' : status < 500 ? 'red' : 'yellow', `← ${status}`)
}

function renderBody(body: Buffer, columns: number): string {
  const length = `${body.length} bytes  `
  // Four bytes a character is the most that UTF-8 takes.
  return `${length}${fitText(body.toString('utf8', 0, columns * 4), columns - length.length)}`
}
