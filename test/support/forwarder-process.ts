// A forwarder as it runs in production.
import type { TestContext } from 'node:test'
import { spawnService, startService, type ServiceProcess } from './service-process.ts'

export type ForwarderProcess = ServiceProcess

const FORWARDER = { name: 'forwarder', ready: ['partitions-assigned'] }

type Environment = Readonly<Record<string, string>>

type OnText = (line: string) => void

/** Resolves when it owns partitions. @param onText told every line as it is written, the attempts among them */
export const startForwarder = (t: TestContext, environment: Environment, onText?: OnText): Promise<ForwarderProcess> =>
  startService(t, FORWARDER, environment, onText)

/** Resolves when it answers probes: it may own nothing yet, and never. */
export const spawnForwarder = (t: TestContext, environment: Environment, onText?: OnText): Promise<ForwarderProcess> =>
  spawnService(t, FORWARDER, environment, onText)
