// What apply does, or would do → text. Pure. Secrets are references in every definition, so what is shown here is safe to show.
import { styled, type Style, type Terminal } from '../terminal.ts'
import type { Action, FieldChange, PlannedChange } from './plan-apply.ts'

const MARKS: Readonly<Record<Action, { readonly mark: string; readonly style: Style }>> = {
  added: { mark: '+', style: 'green' },
  changed: { mark: '~', style: 'yellow' },
  unchanged: { mark: '=', style: 'dim' },
  removed: { mark: '-', style: 'red' },
  left: { mark: '?', style: 'dim' },
}

/** @param applied false: a dry run */
export function renderPlan(plan: readonly PlannedChange[], applied: boolean, terminal: Terminal): string {
  const lines = plan.filter(({ action }) => action !== 'unchanged').flatMap((change) => renderChange(change, terminal))
  return [...lines, summarise(plan, applied), ''].join('\n')
}

export const renderPlanJson = (plan: readonly PlannedChange[], applied: boolean): string =>
  `${JSON.stringify({
    applied,
    changes: plan.map(({ action, what, id, fields, repairs }) => ({ action, what, id, fields, repairs })),
  })}\n`

function renderChange(change: PlannedChange, terminal: Terminal): string[] {
  const { mark, style } = MARKS[change.action]
  const note = change.action === 'left' ? '  in force, and not in the file: --prune removes it' : ''
  const repairs = change.repairs === null ? [] : [`      instead of a record that cannot be read: ${change.repairs}`]
  return [
    `${styled(terminal, style, `${mark} ${change.what.padEnd(10)} ${change.id}`)}${note}`,
    ...repairs,
    ...change.fields.map((field) => `      ${renderField(field)}`),
  ]
}

function renderField({ path, from, to }: FieldChange): string {
  if (from === null) return `${path}: ${to ?? ''} (new)`
  return to === null ? `${path}: ${from} (removed)` : `${path}: ${from} → ${to}`
}

function summarise(plan: readonly PlannedChange[], applied: boolean): string {
  const count = (action: Action) => plan.filter((change) => change.action === action).length
  const counts = (['added', 'changed', 'removed', 'unchanged'] as const).map((action) => `${count(action)} ${action}`)
  const left = count('left') > 0 ? `; ${count('left')} left in force` : ''
  const nothing = plan.every(({ record }) => record === null)
  const beginning = nothing ? 'Nothing to do' : applied ? 'Applied' : 'Would apply'
  return `${beginning}: ${counts.join(', ')}${left}.`
}
