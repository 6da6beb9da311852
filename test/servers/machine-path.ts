// The PATH of a shell on this machine. Enters: the environment. Leaves: the PATH without the folders that npm put in front of
// it for this run, so that `node` is the machine's own.
import { delimiter, join } from 'node:path'

export const machinePath = (): string =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes(join('node_modules', '.bin')))
    .join(delimiter)
