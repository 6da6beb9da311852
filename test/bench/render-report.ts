// Figures of some runs → what is printed: a table of the systems side by side, a table of ratios against their goals. Pure.
// A ratio is taken within each run, between systems measured one after the other, or by slices of time; what is printed is the median
// over runs.
import type { History } from './judge-history.ts'
import { BARE, PLAIN, type Measurement } from './measurements.ts'
import { median } from './median.ts'
import type { RunFigures } from './watch.ts'
import { hottestBound, type Bound, type Measured, type Workload } from './workloads.ts'

type Column = {
  readonly head: string
  readonly digits: number
  readonly of: (measured: Measured, label: string) => number
  /** Left out where nothing of the workload has it. */
  readonly seldom?: true
}

const figure = (name: keyof RunFigures) => (measured: Measured, label: string) =>
  measured.figures.get(label)?.[name] ?? Number.NaN
const ratioTo = (name: keyof RunFigures, other: Measurement) => (measured: Measured, label: string) =>
  figure(name)(measured, label) / figure(name)(measured, other.label)

const COLUMNS: readonly Column[] = [
  { head: 'settled/s', digits: 0, of: figure('perSecond') },
  { head: 'requests/s', digits: 0, of: figure('requestsPerSecond') },
  { head: '÷ bare', digits: 2, of: ratioTo('perSecond', BARE) },
  { head: '÷ plain', digits: 2, of: ratioTo('perSecond', PLAIN) },
  { head: 'CPU µs', digits: 1, of: figure('cpuMicrosEach') },
  { head: '÷ bare', digits: 2, of: ratioTo('cpuMicrosEach', BARE) },
  { head: 'RSS MB', digits: 0, of: figure('peakMegabytes') },
  { head: 'no core %', digits: 0, of: (measured, label) => figure('waited')(measured, label) * 100 },
  { head: 'receiver cores', digits: 2, of: figure('receiverCores') },
  { head: 'out of order', digits: 0, of: figure('outOfOrder') },
  { head: 'twice', digits: 0, of: figure('repeated') },
  { head: 'left out', digits: 0, of: figure('skipped') },
  { head: 'p50 ms', digits: 1, of: figure('p50'), seldom: true },
  { head: 'p99 ms', digits: 1, of: figure('p99'), seldom: true },
  { head: 'to refusing', digits: 0, of: figure('sentToRefusing'), seldom: true },
  { head: 'probes due', digits: 0, of: figure('probesDue'), seldom: true },
  { head: 'first after s', digits: 1, of: figure('secondsToFirst') },
]

export function renderWorkload(workload: Workload, runs: readonly Measured[]): string {
  const over = (of: (measured: Measured) => number) => median(runs.map(of))
  const columns = COLUMNS.filter(
    ({ of, seldom }) =>
      !seldom || runs.some((run) => workload.measurements.some(({ label }) => Number.isFinite(of(run, label)))),
  )
  const rows = workload.measurements.map(({ label }) => {
    const measured = runs.some(({ figures }) => figures.has(label))
    const cells = columns.map(({ of, digits }) =>
      fixed(
        over((run) => of(run, label)),
        digits,
      ),
    )
    return [measured ? label : `${label} (not measured)`, ...cells]
  })
  const goals = workload.goals.map(({ figure: name, of, first, final }) => {
    const value = over(of)
    return [name, fixed(value, 2), ...boundCells(value, first), ...boundCells(value, final)]
  })
  const bound = over(hottestBound)
  return [
    `${workload.name}: ${workload.summary}. Medians over ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}.\n`,
    renderTable([['system', ...columns.map(({ head }) => head)], ...rows]),
    ...(workload.boundByOneCase && Number.isFinite(bound)
      ? [`One request at a time per case allows ${bound.toFixed(0)} settled/s: ${hottestText(runs)}.\n`]
      : []),
    renderTable([['ratio', 'here', 'first goal', '', 'final goal', ''], ...goals]),
  ].join('\n')
}

const hottestText = (runs: readonly Measured[]): string =>
  `the hottest case has ${((runs[0]?.hottestShare ?? Number.NaN) * 100).toFixed(1)} % of the changes`

/** Of every measurement of Onward, whether what arrived is what was published, in its order. */
export function renderHistories(histories: readonly History[]): string {
  const broken = histories.filter(({ faults }) => faults.length > 0)
  if (broken.length === 0) return `History: clean in all of ${histories.length} measurements (order, twice, missing).\n`
  return broken.map(({ label, run, faults }) => `History BROKEN: ${label}, run ${run}: ${faults.join(', ')}\n`).join('')
}

export function renderMachine(machine: Readonly<Record<string, string>>): string {
  return Object.entries(machine)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('')
}

/** Everything that was measured, run by run, for other programs. */
export function renderJson(
  workloads: readonly Workload[],
  runs: readonly Measured[],
  histories: readonly History[],
  machine: Readonly<Record<string, string>>,
): string {
  return JSON.stringify(
    {
      machine,
      histories,
      workloads: workloads.map(({ name, goals }) => ({
        name,
        ratios: goals.map(({ figure: ratio, of, first, final }) => ({
          ratio,
          median: median(runs.map(of)),
          first,
          final,
        })),
      })),
      runs: runs.map((measured) => ({
        bound: hottestBound(measured),
        hottestShare: measured.hottestShare,
        systems: Object.fromEntries(measured.figures),
      })),
    },
    null,
    2,
  )
}

const fixed = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '-')

function boundCells(value: number, bound: Bound | null): [string, string] {
  if (bound === null) return ['-', '']
  if (!Number.isFinite(value)) return [`${bound.is} ${bound.value}`, '?']
  const met = bound.is === '≥' ? value >= bound.value : value <= bound.value
  return [`${bound.is} ${bound.value}`, met ? 'met' : 'not met']
}

/** First column to the left, the others to the right; the first row is the head. Lines have no trailing blanks. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  }
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '))
  return `${lines.join('\n')}\n`
}
