// The reading of a Dockerfile and the building of its tree: what is not done must be refused, never passed over.
import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { buildTree } from '../../../deploy/check/image/build-tree.ts'
import { readDockerfile } from '../../../deploy/check/image/read-dockerfile.ts'
import { REPOSITORY } from '../../../deploy/local/paths.ts'

const BASE = `FROM node:${process.versions.node}-bookworm-slim`

/** A line that is refused, and what is said of it. */
const REFUSED: readonly (readonly [line: string, says: RegExp])[] = [
  ['ADD https://example.org/a.tar /', /^line 2: ADD is not an instruction/],
  ['VOLUME /data', /^line 2: VOLUME is not/],
  ['SHELL ["/bin/bash", "-c"]', /^line 2: SHELL is not/],
  ['ONBUILD RUN true', /^line 2: ONBUILD is not/],
  ['CMD node main.ts', /^line 2: CMD must be a list of words/],
  ['ENTRYPOINT exec node', /^line 2: ENTRYPOINT must be a list/],
  ['HEALTHCHECK CMD curl localhost', /^line 2: HEALTHCHECK must be a list/],
  ['HEALTHCHECK NONE', /^line 2: HEALTHCHECK must be a list/],
  ['COPY --chown=1:1 a b', /^line 2: COPY has --chown/],
  ['RUN --mount=type=cache,target=/x true', /^line 2: RUN has --mount/],
  ['RUN ["true"]', /^line 2: RUN is written as a list/],
  ['FETCH a', /^line 2: FETCH is not/],
]

for (const [line, says] of REFUSED) {
  test(`a Dockerfile with ${line} is refused`, () => {
    assert.throws(() => readDockerfile(`${BASE}\n${line}\n`), { message: says })
  })
}

test('a Dockerfile without FROM is refused', () => {
  assert.throws(() => readDockerfile('RUN true'), { message: /before the first FROM/ })
  assert.throws(() => readDockerfile(''), { message: /no FROM/ })
})

test('lines that go on are one command, and comments between them are none of it', () => {
  const [stage] = readDockerfile(`${BASE}\nRUN one && \\\n  # why\n  two\n`)
  assert.equal(stage?.steps.length, 1)
  const [run] = stage.steps
  assert.ok(run?.kind === 'run')
  assert.match(run.command, /^one && +two$/)
})

test('a later stage takes from an earlier one, and holds nothing else of it', (t) => {
  const image = build(
    t,
    `${BASE} AS build\nWORKDIR /app\nCOPY a.txt folder ./\nRUN mkdir made && ln -s ../a.txt made/link\n${BASE}\nWORKDIR /srv\nCOPY --from=build /app/made ./made\nCOPY --from=build /app/a.txt renamed\n`,
  )
  assert.deepEqual(readdirSync(join(image.root, 'srv')).toSorted(), ['made', 'renamed'])
  assert.ok(lstatSync(join(image.root, 'srv/made/link')).isSymbolicLink())
  assert.equal(image.workdir, '/srv')
  assert.ok(!existsSync(join(image.root, 'app')))
})

test('a folder is copied by its content, a file into a folder by its name', (t) => {
  const image = build(t, `${BASE}\nWORKDIR /app\nCOPY a.txt folder ./\nCOPY folder elsewhere/\nCOPY a.txt b.txt\n`)
  const files = readdirSync(join(image.root, 'app'), { recursive: true }).map(String).toSorted()
  assert.deepEqual(files, [
    'a.txt',
    'b.txt',
    'deep',
    'deep/c.txt',
    'elsewhere',
    'elsewhere/deep',
    'elsewhere/deep/c.txt',
  ])
})

test('what .dockerignore keeps out can be copied by no name', (t) => {
  assert.throws(() => build(t, `${BASE}\nCOPY secret.txt /\n`), { message: /COPY secret.txt: .*\.dockerignore/ })
  const image = build(t, `${BASE}\nWORKDIR /app\nCOPY . .\n`)
  assert.ok(!existsSync(join(image.root, 'app', 'secret.txt')))
  assert.ok(existsSync(join(image.root, 'app', 'folder/deep/c.txt')))
})

test('a command that names a place of this machine is refused before it runs', (t) => {
  for (const command of ['rm -rf /etc/x', 'echo a >/etc/x', 'cp a "/usr/local/bin/a"'])
    assert.throws(() => build(t, `${BASE}\nRUN ${command}\n`), { message: /is an absolute path/ })
})

test('a command that fails fails the build with its words', (t) => {
  assert.throws(() => build(t, `${BASE}\nRUN echo no luck >&2; exit 3\n`), { message: /ended with 3: no luck/ })
})

test('a base that is not the Node of the tests is refused', (t) => {
  assert.throws(() => build(t, 'FROM node:20.0.0-bookworm-slim\n'), { message: /builds on node:/ })
  assert.throws(() => build(t, 'FROM debian:12\n'), { message: /builds on node:/ })
})

test('an entry point of one’s own forgets the command of the base', (t) => {
  assert.deepEqual(build(t, `${BASE}\n`).entrypoint, ['docker-entrypoint.sh'])
  const { entrypoint, cmd } = build(t, `${BASE}\nCMD ["a"]\nENTRYPOINT []\n`)
  assert.deepEqual([entrypoint, cmd], [[], []])
})

test('the build context is closed: .dockerignore begins with everything', () => {
  const [first] = readFileSync(join(REPOSITORY, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  assert.equal(first, '*')
})

function build(t: TestContext, dockerfile: string) {
  const context = mkdtempSync(join(tmpdir(), 'onward-dockerfile-'))
  t.after(() => rmSync(context, { recursive: true, force: true }))
  const files = { '.dockerignore': 'secret.txt\nout\n', 'a.txt': 'a', 'secret.txt': 's', 'folder/deep/c.txt': 'c' }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(context, path)), { recursive: true })
    writeFileSync(join(context, path), content)
  }
  return buildTree({ stages: readDockerfile(dockerfile), context, folder: join(context, 'out') })
}
