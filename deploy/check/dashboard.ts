// The dashboard as it stands in deploy/grafana. Enters: a tree. Leaves: its panels, and every expression it asks.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const DASHBOARD = 'deploy/grafana/onward.json'

export type Panel = { readonly id: number; readonly title: string; readonly expressions: readonly string[] }

export type Dashboard = {
  readonly uid: string
  readonly panels: readonly Panel[]
  /** Of what it marks on every panel: alerts, rebalances. */
  readonly annotations: readonly string[]
}

type Written = {
  readonly uid: string
  readonly panels: readonly {
    readonly id: number
    readonly title: string
    readonly targets?: readonly { readonly expr: string }[]
  }[]
  readonly annotations: { readonly list: readonly { readonly expr: string }[] }
}

/** @throws SyntaxError where it is no JSON */
export function readDashboard(tree: string): Dashboard {
  const { uid, panels, annotations } = JSON.parse(readFileSync(join(tree, DASHBOARD), 'utf8')) as Written
  return {
    uid,
    panels: panels.map(({ id, title, targets = [] }) => ({ id, title, expressions: targets.map(({ expr }) => expr) })),
    annotations: annotations.list.map(({ expr }) => expr),
  }
}

/**
 * An expression as Grafana would ask it with everything chosen.
 * @param connection what stands for `$connection`: a regular expression
 */
export const chosen = (expression: string, connection = '.*'): string =>
  expression
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '3h')
    .replaceAll('$namespace', '.*')
    .replaceAll('$job', '.*')
    .replaceAll('$connection', connection)
