// What looks at the image and at the compose file.
import { dirname, join } from 'node:path'
import type { Tool } from '../check.ts'
import { goTool } from './go-tool.ts'
import { CHECK_PYTHON, installCheckPython } from './python-tools.ts'

export const COMPOSE_GO = goTool({
  name: 'compose-go',
  version: '2.16.2',
  package: 'github.com/compose-spec/compose-go/v2/cmd',
  binary: 'cmd',
})

export const HADOLINT: Tool = {
  name: 'hadolint',
  command: join(dirname(CHECK_PYTHON.python), 'hadolint'),
  install: installCheckPython,
}
