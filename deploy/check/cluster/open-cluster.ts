// A real Kubernetes API on loopback, with real controllers and a real scheduler; its one node is kwok's, where no container runs.
// Enters: nothing. Leaves: its API and a kubeconfig. Never: anything that outlives the process: a watchdog ends all of it.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../local/free-ports.ts'
import { startMember, type Member } from '../../local/member.ts'
import type { Progress } from '../../local/progress.mjs'
import { makeRunFolder, sweepRunFolders } from '../../local/run-folder.ts'
import { API_SERVER, CONTROLLER_MANAGER, ETCD, KWOK, SCHEDULER } from '../tools/cluster-tools.ts'
import { openApi, statusOf, type Api } from './api.ts'

export type Cluster = AsyncDisposable & {
  readonly api: Api
  /** A file. */
  readonly kubeconfig: string
  /** For what its users write. */
  readonly folder: string
}

const LOOPBACK = '127.0.0.1'
const NODE = 'node-1'

/** @throws Error with the end of a member's log when it does not come up */
export async function openCluster(progress: Progress, signal: AbortSignal): Promise<Cluster> {
  sweepRunFolders()
  const folder = makeRunFolder()
  const own = join(folder, 'own')
  mkdirSync(own)
  const [store = 0, peers = 0, port = 0, controllers = 0, scheduler = 0] = await freePorts(5)
  const token = randomBytes(16).toString('hex')
  const files = writeFiles(own, port, token)
  const members: Member[] = []
  const dispose = async () => {
    for (const member of members.toReversed()) await member.end()
  }
  const start = async (name: string, command: string, args: readonly string[], isReady: () => Promise<boolean>) => {
    const step = progress.step(name)
    try {
      members.push(await startMember({ name, folder: join(folder, name), command, args, isReady }, signal))
      step.done()
    } catch (error) {
      step.failed()
      throw error
    }
  }
  const answers = async (at: number, path: string) => (await statusOf(at, path, token)) === 200
  try {
    await start('etcd', ETCD.command, storeArguments(join(folder, 'etcd'), store, peers), () => answersHttp(store))
    const apiArguments = serverArguments({ ...files, store, port, certificates: join(folder, 'kube-apiserver') })
    await start('kube-apiserver', API_SERVER.command, apiArguments, () => answers(port, '/readyz'))
    const client = [`--kubeconfig=${files.kubeconfig}`, `--bind-address=${LOOPBACK}`]
    const open = ['--authorization-always-allow-paths=/healthz', '--leader-elect=false']
    await start(
      'kube-controller-manager',
      CONTROLLER_MANAGER.command,
      [
        ...[...client, ...open, `--secure-port=${controllers}`],
        `--service-account-private-key-file=${files.key}`,
        '--use-service-account-credentials=false',
        // kwok's node sends no heartbeats.
        '--controllers=*,-node-lifecycle-controller',
      ],
      () => answers(controllers, '/healthz'),
    )
    const schedulerArguments = [...client, ...open, `--secure-port=${scheduler}`]
    await start('kube-scheduler', SCHEDULER.command, schedulerArguments, () => answers(scheduler, '/healthz'))
    const stages = join(import.meta.dirname, 'stages.yaml')
    const nodeArguments = [`--kubeconfig=${files.kubeconfig}`, '--manage-all-nodes=true', `--config=${stages}`]
    await start('kwok', KWOK.command, nodeArguments, async () => true)
    const api = openApi(port, token)
    await makeNode(api)
    return { api, kubeconfig: files.kubeconfig, folder: own, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

function writeFiles(folder: string, port: number, token: string) {
  const key = join(folder, 'service-accounts.pem')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(key, privateKey.export({ type: 'pkcs1', format: 'pem' }))
  const tokens = join(folder, 'tokens.csv')
  writeFileSync(tokens, `${token},admin,admin,"system:masters"\n`, { mode: 0o600 })
  const kubeconfig = join(folder, 'kubeconfig')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'check',
    contexts: [{ name: 'check', context: { cluster: 'check', user: 'admin' } }],
    clusters: [{ name: 'check', cluster: { server: `https://${LOOPBACK}:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'admin', user: { token } }],
  }
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 })
  return { key, tokens, kubeconfig }
}

const storeArguments = (folder: string, port: number, peers: number): readonly string[] => [
  `--data-dir=${join(folder, 'data')}`,
  `--listen-client-urls=http://${LOOPBACK}:${port}`,
  `--advertise-client-urls=http://${LOOPBACK}:${port}`,
  `--listen-peer-urls=http://${LOOPBACK}:${peers}`,
  `--initial-advertise-peer-urls=http://${LOOPBACK}:${peers}`,
  `--initial-cluster=default=http://${LOOPBACK}:${peers}`,
  // What is stored is thrown away: nothing is worth waiting for a disk.
  '--unsafe-no-fsync',
]

type ServerFiles = {
  readonly store: number
  readonly port: number
  readonly key: string
  readonly tokens: string
  readonly certificates: string
}

const serverArguments = ({ store, port, key, tokens, certificates }: ServerFiles): readonly string[] => [
  `--etcd-servers=http://${LOOPBACK}:${store}`,
  `--secure-port=${port}`,
  `--bind-address=${LOOPBACK}`,
  `--advertise-address=${LOOPBACK}`,
  `--cert-dir=${certificates}`,
  '--service-cluster-ip-range=10.0.0.0/24',
  '--service-account-issuer=https://kubernetes.default.svc',
  `--service-account-key-file=${key}`,
  `--service-account-signing-key-file=${key}`,
  `--token-auth-file=${tokens}`,
  '--authorization-mode=RBAC',
  // They ask the store how far its watches are, which Debian's etcd 3.4 does not tell: clients of these wait for ever.
  '--feature-gates=WatchList=false,SizeBasedListCostEstimate=false',
  // Nothing else serves this API.
  '--endpoint-reconciler-type=none',
]

async function answersHttp(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://${LOOPBACK}:${port}/health`)).ok
  } catch {
    return false
  }
}

async function makeNode(api: Api): Promise<void> {
  const labels = {
    'kubernetes.io/hostname': NODE,
    'kubernetes.io/arch': 'amd64',
    'topology.kubernetes.io/zone': 'zone-1',
  }
  await api.create('/api/v1/nodes', { metadata: { name: NODE, labels } })
  // Put there by the API server, and taken away by the controller that does not run.
  await api.patch(`/api/v1/nodes/${NODE}`, { spec: { taints: null } })
}
