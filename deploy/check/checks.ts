// Every check of `npm run check:deploy`, in the order they run: one file each in checks/, one line each here.
import type { Check } from './check.ts'
import { alertRules } from './checks/alert-rules.ts'
import { chartCode } from './checks/chart-code.ts'
import { chartFilesCheck } from './checks/chart-files.ts'
import { chartLint } from './checks/chart-lint.ts'
import { chartManifests } from './checks/chart-manifests.ts'
import { chartTests } from './checks/chart-tests.ts'
import { compose } from './checks/compose.ts'
import { dashboard } from './checks/dashboard.ts'
import { dockerfile } from './checks/dockerfile.ts'

export const CHECKS: readonly Check[] = [
  ...[chartLint, chartManifests, chartTests, chartFilesCheck, chartCode],
  ...[alertRules, dashboard],
  ...[dockerfile, compose],
]
