// The chart's own unit tests, by helm-unittest: what each value does, and what is refused with which words.
import { join } from 'node:path'
import type { Check } from '../check.ts'
import { CHART } from '../../helm/chart-files.ts'
import { runTool, saidBy } from '../run-tool.ts'
import { HELM_UNITTEST } from '../tools/chart-tools.ts'

export const chartTests: Check = {
  name: 'chart-tests',
  about: "the chart's unit tests (helm-unittest)",
  tools: [HELM_UNITTEST],
  run: async (tree, signal) => {
    const args = ['--strict', '--file', 'unittests/*_test.yaml', join(tree, CHART)]
    const run = await runTool(HELM_UNITTEST.command, args, {}, signal)
    const passed = /^Tests:.*?(\d+) passed/m.exec(run.stdout)?.[1] ?? '0'
    return { seen: `${passed} tests`, problems: run.code === 0 && Number(passed) > 0 ? [] : [saidBy(run)] }
  },
  mutations: [
    {
      file: `${CHART}/templates/_pod.tpl`,
      from: 'enableServiceLinks: false',
      to: 'enableServiceLinks: true',
      says: /enableServiceLinks/,
    },
    {
      file: `${CHART}/templates/forwarder/deployment.yaml`,
      from: 'maxSurge: 0',
      to: 'maxSurge: 1',
      says: /start none before one is gone/,
    },
    {
      file: `${CHART}/templates/_durations.tpl`,
      from: 'add $drain 40',
      to: 'add $drain 5',
      says: /longer to end than the drain/,
    },
    {
      file: `${CHART}/templates/forwarder/scaledobject.yaml`,
      from: 'compact (list .Values.topics.forms .Values.topics.cases .Values.topics.apps)',
      to: 'list ""',
      says: /source topics by name/,
    },
    {
      file: `${CHART}/values.yaml`,
      from: 'readOnlyRootFilesystem: true',
      to: 'readOnlyRootFilesystem: false',
      says: /restricted pod security/,
    },
    {
      file: `${CHART}/templates/strimzi/topics.yaml`,
      from: '"helm.sh/resource-policy" "keep" ',
      to: '',
      says: /never takes a topic with it/,
    },
    {
      file: `${CHART}/templates/validate.yaml`,
      from: 'and .monitoring.podMonitor.enabled .monitoring.serviceMonitor.enabled',
      to: 'and false',
      says: /everything scraped twice/,
    },
  ],
}
