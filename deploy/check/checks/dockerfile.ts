// The Dockerfile, as hadolint sees it, and as `npm run check:image` reads it: what that does not do must not stand there.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorText } from '../../../services/shared/error-text.ts'
import type { Check } from '../check.ts'
import { readDockerfile } from '../image/read-dockerfile.ts'
import { runTool, saidBy } from '../run-tool.ts'
import { HADOLINT } from '../tools/image-tools.ts'

const DOCKERFILE = 'deploy/Dockerfile'
/** Labels that must be there, and the form of each. */
const LABELS = {
  title: 'text',
  version: 'semver',
  revision: 'text',
  licenses: 'spdx',
  documentation: 'url',
  'base.name': 'text',
}

export const dockerfile: Check = {
  name: 'dockerfile',
  about: 'hadolint, with the labels of OCI, and no instruction that check:image does not do',
  tools: [HADOLINT],
  run: async (tree, signal) => {
    const path = join(tree, DOCKERFILE)
    const labels = Object.entries(LABELS).flatMap(([name, form]) => [
      '--require-label',
      `org.opencontainers.image.${name}:${form}`,
    ])
    const run = await runTool(HADOLINT.command, ['--failure-threshold', 'info', ...labels, path], {}, signal)
    const problems = run.code === 0 ? [] : [saidBy(run)]
    try {
      const stages = readDockerfile(readFileSync(path, 'utf8'))
      return { seen: `${stages.length} stages`, problems }
    } catch (error) {
      return { seen: DOCKERFILE, problems: [...problems, errorText(error)] }
    }
  },
  mutations: [
    { file: DOCKERFILE, from: 'FROM node:24.21.0-bookworm-slim\n', to: 'FROM node\n', says: /DL3006/ },
    { file: DOCKERFILE, from: 'WORKDIR /app\nCOPY package.json', to: 'WORKDIR app\nCOPY package.json', says: /DL3000/ },
    { file: DOCKERFILE, from: 'USER 10001:10001', to: 'USER root', says: /DL3002/ },
    {
      file: DOCKERFILE,
      from: '"services/forwarder/main.ts"]',
      to: 'services/forwarder/main.ts]',
      says: /DL3025|CMD must/,
    },
    { file: DOCKERFILE, from: 'COPY LICENSE ./', to: 'ADD LICENSE ./', says: /ADD is not an instruction/ },
    { file: DOCKERFILE, from: 'image.licenses="Apache-2.0"', to: 'image.licenses="Apache"', says: /DL3051|licenses/ },
  ],
}
