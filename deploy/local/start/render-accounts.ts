// The accounts → a table, its sentences, or JSON. Pure. Enter: accounts. Leave: lines within 80 columns.
import type { AccountRow, Accounts } from './account.ts'
import { wrapText } from './fit-text.ts'
import type { Paint } from './screen.ts'

const COLUMNS = [
  { title: 'made', of: (row: AccountRow) => row.made },
  { title: 'delivered', of: (row: AccountRow) => row.delivered },
  { title: 'superseded', of: (row: AccountRow) => row.superseded },
  { title: 'dead-lettered', of: (row: AccountRow) => row.deadLettered },
  { title: 'waiting', of: (row: AccountRow) => row.waiting },
  { title: 'requests', of: (row: AccountRow) => row.requests },
] as const

const CLOSES = [
  'made = delivered + superseded + dead-lettered + waiting, for every repeater',
  '/metrics, onward.deliveries, onward.dead-letters and the receiver agree',
  'the changes of each case arrived in order, none twice',
  'one mail told of the failure, one of the recovery, in one conversation',
]

export function renderAccounts(accounts: Accounts, width: number, paint: Paint): readonly string[] {
  const { rows, bodyLengths, differences } = accounts
  const names = [...rows.map(({ repeater }) => repeater), 'together']
  const widest = Math.max('repeater'.length, ...names.map((name) => name.length))
  const line = (name: string, cells: readonly string[]): string =>
    `  ${name.padEnd(widest)}${cells.map((cell, index) => cell.padStart((COLUMNS[index]?.title.length ?? 0) + 2)).join('')}`
  const rowLine = (row: AccountRow): string =>
    line(
      row.repeater,
      COLUMNS.map(({ of }) => String(of(row) || '·')),
    )
  const head = line(
    'repeater',
    COLUMNS.map(({ title }) => title),
  )
  const table = [
    paint('dim', head),
    ...rows.map(rowLine),
    paint('dim', `  ${'─'.repeat(head.length - 2)}`),
    paint('bold', rowLine(sumOf(rows))),
    '',
  ]
  if (differences.length === 0) {
    const lengths = Object.values(bodyLengths).join(', ')
    return [
      ...table,
      ...[...CLOSES, `the guide's examples arrived with ${lengths} bytes`].map(
        (said) => `  ${paint('green', '✓')} ${said}`,
      ),
    ]
  }
  return [
    ...table,
    ...differences.flatMap((said) =>
      wrapText(said, width - 4).map((part, index) => `  ${index === 0 ? paint('red', '✗') : ' '} ${part}`),
    ),
  ]
}

/** One line, for scripts. @param seconds that the whole run took */
export const renderAccountsJson = ({ rows, bodyLengths, differences }: Accounts, seconds: number): string =>
  JSON.stringify({ closes: differences.length === 0, differences, repeaters: rows, bodyLengths, seconds })

const sumOf = (rows: readonly AccountRow[]): AccountRow =>
  rows.reduce(
    (sum, row) => ({
      repeater: 'together',
      made: sum.made + row.made,
      delivered: sum.delivered + row.delivered,
      superseded: sum.superseded + row.superseded,
      deadLettered: sum.deadLettered + row.deadLettered,
      waiting: sum.waiting + row.waiting,
      requests: sum.requests + row.requests,
    }),
    { repeater: 'together', made: 0, delivered: 0, superseded: 0, deadLettered: 0, waiting: 0, requests: 0 },
  )
