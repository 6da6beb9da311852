// What runs the compose file where there is no container engine, and what its base images are made of where none can be fetched.
import { spawnSync } from 'node:child_process'
import { installDebian } from '../../local/debian.ts'
import type { Tool } from '../check.ts'
import { goTool } from './go-tool.ts'

const COMPOSE_VERSION = '5.6.0'

export const COMPOSE = goTool({
  name: 'compose',
  version: COMPOSE_VERSION,
  package: 'github.com/docker/compose/v5/cmd',
  binary: 'cmd',
  module: 'compose',
  linkerFlags: `-X github.com/docker/compose/v5/internal.Version=v${COMPOSE_VERSION}`,
})

const ofDebian = (command: string, packages: readonly string[]): Tool => ({
  name: command,
  command,
  install: async (progress) => {
    if (spawnSync(command, ['--version']).error !== undefined) await installDebian(packages, progress)
  },
})

export const DOCKERD = ofDebian('dockerd', ['docker.io', 'iptables'])
export const DEBOOTSTRAP = ofDebian('debootstrap', ['debootstrap'])

/** @param version of the image that stands in for it */
export const mailpit = (version: string): Tool =>
  goTool({ name: 'mailpit', version, package: 'github.com/axllent/mailpit' })
