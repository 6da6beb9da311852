// A Kubernetes without nodes: its API server, controllers and scheduler, the store behind them, and what acts as nodes.
import { spawnSync } from 'node:child_process'
import { installDebian } from '../../local/debian.ts'
import type { Tool } from '../check.ts'
import { goTool } from './go-tool.ts'

const VERSION = '1.34.4'

/** Built from modules, Kubernetes does not know its version, by which Helm and clients judge it. */
const stamp = (name: string, value: string) => `-X k8s.io/component-base/version.${name}=${value}`
const LINKER_FLAGS = [stamp('gitVersion', `v${VERSION}`), stamp('gitMajor', '1'), stamp('gitMinor', '34')].join(' ')

const kubernetes = (name: string): Tool =>
  goTool({
    name,
    version: VERSION,
    package: `k8s.io/kubernetes/cmd/${name}`,
    module: 'kubernetes',
    linkerFlags: LINKER_FLAGS,
  })

export const API_SERVER = kubernetes('kube-apiserver')
export const CONTROLLER_MANAGER = kubernetes('kube-controller-manager')
export const SCHEDULER = kubernetes('kube-scheduler')

export const KWOK = goTool({ name: 'kwok', version: '0.8.0', package: 'sigs.k8s.io/kwok/cmd/kwok' })

export const ETCD: Tool = {
  name: 'etcd',
  command: 'etcd',
  install: async (progress) => {
    if (spawnSync('etcd', ['--version']).status !== 0) await installDebian(['etcd-server'], progress)
  },
}
