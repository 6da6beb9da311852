// The alert rules and their tests as they stand in deploy/prometheus. Enter: a tree. Leave: alerts, and what is tested of each.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

const FOLDER = 'deploy/prometheus'
export const RULES = `${FOLDER}/onward.rules.yaml`
export const RULE_TESTS = `${FOLDER}/onward.rules.test.yaml`

export type Alert = {
  readonly alert: string
  readonly expr: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

type RuleFile = { readonly groups: readonly { readonly rules: readonly Alert[] }[] }
type TestFile = {
  readonly tests: readonly {
    readonly alert_rule_test?: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[]
  }[]
}

/** What is asked of an alert in its tests. */
export type Tested = { readonly fires: boolean; readonly staysSilent: boolean }

/** @throws YAMLParseError, with the place */
export function readAlerts(tree: string): readonly Alert[] {
  const file = parse(readFileSync(join(tree, RULES), 'utf8')) as RuleFile
  return file.groups.flatMap(({ rules }) => rules)
}

/** By alert. @throws YAMLParseError, with the place */
export function readTested(tree: string): ReadonlyMap<string, Tested> {
  const file = parse(readFileSync(join(tree, RULE_TESTS), 'utf8')) as TestFile
  const tested = new Map<string, Tested>()
  for (const { alertname, exp_alerts: expected } of file.tests.flatMap((each) => each.alert_rule_test ?? [])) {
    const known = tested.get(alertname)
    tested.set(alertname, {
      fires: (known?.fires ?? false) || expected.length > 0,
      staysSilent: (known?.staysSilent ?? false) || expected.length === 0,
    })
  }
  return tested
}

/** Names of our own metrics in an expression. */
export const metricsOf = (expression: string): readonly string[] => [
  ...new Set(expression.match(/\bonward_[a-z_]+/g) ?? []),
]
