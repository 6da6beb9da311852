// The Java runtime: JAVA_HOME's, else the path's. bootstrap.mjs has set JAVA_HOME where the path's is too old.
import { join } from 'node:path'

export const javaCommand = (): string => {
  const home = process.env['JAVA_HOME']
  return home ? join(home, 'bin', 'java') : 'java'
}
