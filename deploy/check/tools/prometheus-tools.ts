// What looks at alert rules and scrapes: Prometheus and its promtool, as Debian has them.
import { spawnSync } from 'node:child_process'
import { installDebian } from '../../local/debian.ts'
import type { Tool } from '../check.ts'

export const PROMTOOL: Tool = {
  name: 'promtool',
  command: 'promtool',
  install: async (progress) => {
    if (spawnSync('promtool', ['--version']).status !== 0) await installDebian(['prometheus'], progress)
  },
}
