// One Kafka node (KRaft, broker and controller in one) as a member of the stack.
// Enter: ports and a folder. Leaves: the plan of how to start it. Never: topics that come into being by being named.
import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { askMetadata } from './ask-metadata.ts'
import { javaCommand } from './java.ts'
import { FIRST_CHECKPOINT, type Jars } from './jars.ts'
import type { MemberPlan } from './member.ts'

export type BrokerPorts = { readonly client: number; readonly controller: number }

/** A cluster's or a folder's id: 16 bytes in the alphabet for addresses, as Kafka writes them. */
export const kafkaId = (): string => {
  const id = randomBytes(16).toString('base64url')
  // Kafka's tools take a leading dash for an option.
  return id.startsWith('-') ? kafkaId() : id
}

/** @param nodes the ports of all, this one's at `index` */
export function planBroker(
  jars: Jars['kafka'],
  clusterId: string,
  nodes: readonly BrokerPorts[],
  index: number,
  folder: string,
): MemberPlan {
  const ports = nodes[index]
  if (!ports) throw new Error(`there is no node ${index}`)
  const data = join(folder, 'data')
  if (!existsSync(data)) layOut(jars, clusterId, nodes, index + 1, ports, folder, data)
  return {
    name: `broker ${index + 1}`,
    folder,
    command: javaCommand(),
    args: [
      ...['-Xms256m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'log4j2.properties')}`,
      ...['-cp', jars.classPath, 'kafka.Kafka', join(folder, 'server.properties')],
    ],
    // Our own cluster's id: another broker may have got the port. All nodes: a topic needs them from its first moment.
    isReady: async () => {
      const metadata = await askMetadata(ports.client)
      return metadata?.clusterId === clusterId && metadata.brokers === nodes.length
    },
  }
}

function layOut(
  jars: Jars['kafka'],
  clusterId: string,
  nodes: readonly BrokerPorts[],
  nodeId: number,
  ports: BrokerPorts,
  folder: string,
  data: string,
): void {
  mkdirSync(join(data, '__cluster_metadata-0'), { recursive: true })
  copyFileSync(jars.firstCheckpoint, join(data, '__cluster_metadata-0', FIRST_CHECKPOINT))
  writeProperties(join(data, 'meta.properties'), {
    version: 1,
    'cluster.id': clusterId,
    'node.id': nodeId,
    'directory.id': kafkaId(),
  })
  const replicas = nodes.length
  const inSync = replicas === 1 ? 1 : 2
  writeProperties(join(folder, 'server.properties'), {
    'process.roles': 'broker,controller',
    'node.id': nodeId,
    'controller.quorum.voters': nodes.map(({ controller }, at) => `${at + 1}@127.0.0.1:${controller}`).join(','),
    listeners: `PLAINTEXT://127.0.0.1:${ports.client},CONTROLLER://127.0.0.1:${ports.controller}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': data.replaceAll('\\', '\\\\'),
    'auto.create.topics.enable': false,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': 1,
    // Tests join groups by the hundred, and want a dead member noticed in a second when they say so.
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1_000,
    // 128 MiB otherwise, for compaction at a scale that nobody has here.
    'log.cleaner.dedupe.buffer.size': 4 * 1024 * 1024,
    // The memory map of every partition's index.
    'log.index.size.max.bytes': 1024 * 1024,
  })
}

const writeProperties = (file: string, properties: Readonly<Record<string, string | number | boolean>>): void =>
  writeFileSync(
    file,
    `${Object.entries(properties)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n')}\n`,
  )
