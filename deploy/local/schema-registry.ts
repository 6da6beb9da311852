// The schema registry (Apicurio, with Confluent's API) as a member of the stack.
// Enter: a port and a folder. Leaves: the plan of how to start it. Its storage is memory: ids begin at 1 at every start.
import { javaCommand } from './java.ts'
import type { Jars } from './jars.ts'
import type { MemberPlan } from './member.ts'

export const registryUrl = (port: number): string => `http://127.0.0.1:${port}/apis/ccompat/v7`

export const planRegistry = (jars: Jars['registry'], port: number, folder: string): MemberPlan => ({
  name: 'registry',
  folder,
  workingFolder: jars.folder,
  command: javaCommand(),
  args: [
    ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
    // Names the folder in the command line, by which the sweep knows a left-over process for ours.
    `-Djava.io.tmpdir=${folder}`,
    '-Dquarkus.http.host=127.0.0.1',
    `-Dquarkus.http.port=${port}`,
    // Equal schemas get one id however they are spaced, as Confluent's own registry does it.
    '-Dapicurio.ccompat.use-canonical-hash=true',
    '-Dapicurio.datasource.jdbc.initial-size=2',
    '-Dapicurio.datasource.jdbc.min-size=2',
    '-Dapicurio.datasource.jdbc.max-size=10',
    '-Dquarkus.http.access-log.enabled=false',
    '-Dquarkus.banner.enabled=false',
    '-Dquarkus.log.level=WARN',
    '-Dquarkus.log.category."io.apicurio".level=WARN',
    // Says `Listening on`: the only sign that the port is this process's and not another's.
    '-Dquarkus.log.category."io.quarkus".level=INFO',
    ...['-jar', jars.jar],
  ],
  isReady: async (log) => log().includes('Listening on') && (await isHealthy(port)),
})

async function isHealthy(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(2_000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
