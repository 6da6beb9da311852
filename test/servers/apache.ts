// Apache httpd with what it has to ask who somebody is: basic, digest (MD5), client certificates, and conditions on headers for API keys
// and tokens. Enter: user, password, key, and certificates. Leave: where each is. What is accepted runs a script that answers 200, so every method is.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { APACHE } from '../../deploy/local/foreign-clients.ts'
import { freePorts } from '../../deploy/local/free-ports.ts'
import type { Certified } from '../support/make-certificate.ts'

export type Apache = {
  readonly basic: string
  readonly digest: string
  /** The same, with nonces that are stale after a second. */
  readonly shortDigest: string
  /** Takes the key as `X-Api-Key`. */
  readonly apiKey: string
  /** Takes the key as a bearer token. */
  readonly bearer: string
  /** Asks for a client certificate. */
  readonly mutual: string
  /** What it wrote of each request: method, path, status. */
  readonly log: () => readonly string[]
}

type Options = {
  readonly username: string
  readonly password: string
  /** Letters, digits and `-` only. */
  readonly key?: string
  readonly host: Certified
  readonly authority: Certified
}

const MODULES = '/usr/lib/apache2/modules'
const NEEDED = [
  ...['mpm_event', 'authn_core', 'authn_file', 'authz_core', 'authz_user', 'auth_basic', 'auth_digest'],
  ...['alias', 'cgid', 'rewrite', 'ssl', 'socache_shmcb'],
]
/** It compares what a client sends back with what stands here, quotes escaped: it has none that can be met. */
const REALM = 'records, größe'

export async function startApache(
  t: TestContext,
  { username, password, key = 'none', host, authority }: Options,
): Promise<Apache> {
  const folder = mkdtempSync(join(tmpdir(), 'onward-apache-'))
  t.after(() => rmSync(folder, { recursive: true }))
  // As root it serves as another user, who must reach the script.
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'cgi'))
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  write('cgi/ok', '#!/bin/sh\ncat > /dev/null\nprintf "Status: 200\\r\\nContent-Type: text/plain\\r\\n\\r\\n"\n')
  chmodSync(join(folder, 'cgi', 'ok'), 0o755)
  const basic = `{SHA}${createHash('sha1').update(password).digest('base64')}`
  const digest = createHash('md5').update(`${username}:${REALM}:${password}`).digest('hex')
  const files = {
    basic: write('basic', `${username}:${basic}\n`),
    digest: write('digest', `${username}:${REALM}:${digest}\n`),
    cert: write('cert.pem', host.cert),
    key: write('key.pem', host.key),
    ca: write('ca.pem', authority.cert),
    log: write('access.log', ''),
  }
  const [plain = 0, secure = 0] = await freePorts(2)
  const guarded = (path: string, lines: string) =>
    `<Location ${path}>\n${lines}\nAuthName "${REALM}"\nRequire valid-user\n</Location>`
  const onlyWith = (path: string, header: string, value: string) =>
    `<Location ${path}>\nRewriteEngine on\nRewriteCond %{HTTP:${header}} "!=${value}"\nRewriteRule ^ - [R=401]\n</Location>`
  const config = write(
    'httpd.conf',
    [
      ...NEEDED.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`),
      ...(process.getuid?.() === 0 ? ['User daemon', 'Group daemon'] : []),
      `ServerRoot ${folder}`,
      'ServerName 127.0.0.1',
      `PidFile ${folder}/pid`,
      `ErrorLog ${folder}/error.log`,
      `ScriptSock ${folder}/cgi.sock`,
      `Mutex file:${folder}`,
      `CustomLog ${files.log} "%m %U %>s"`,
      `Listen 127.0.0.1:${plain}`,
      `Listen 127.0.0.1:${secure}`,
      ...['basic', 'digest', 'short', 'mutual', 'api-key', 'bearer'].map(
        (name) => `ScriptAlias /${name} ${folder}/cgi/ok`,
      ),
      `<Directory ${folder}/cgi>\nRequire all granted\n</Directory>`,
      guarded('/basic', `AuthType Basic\nAuthUserFile ${files.basic}`),
      guarded('/digest', `AuthType Digest\nAuthUserFile ${files.digest}`),
      guarded('/short', `AuthType Digest\nAuthUserFile ${files.digest}\nAuthDigestNonceLifetime 1`),
      onlyWith('/api-key', 'X-Api-Key', key),
      onlyWith('/bearer', 'Authorization', `Bearer ${key}`),
      `<VirtualHost 127.0.0.1:${secure}>`,
      'SSLEngine on',
      `SSLCertificateFile ${files.cert}`,
      `SSLCertificateKeyFile ${files.key}`,
      `SSLCACertificateFile ${files.ca}`,
      'SSLVerifyClient require',
      '</VirtualHost>',
    ].join('\n'),
  )
  const child = spawn(APACHE, ['-f', config, '-DFOREGROUND'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGTERM')
    await exited
  })
  await listens(plain, () => {
    if (child.exitCode !== null) throw new Error(errors)
  })
  const at = (path: string) => `http://127.0.0.1:${plain}/${path}`
  return {
    basic: at('basic'),
    digest: at('digest'),
    shortDigest: at('short'),
    apiKey: at('api-key'),
    bearer: at('bearer'),
    mutual: `https://127.0.0.1:${secure}/mutual`,
    log: () => readFileSync(files.log, 'utf8').trim().split('\n'),
  }
}

/** @param check throws when it will never listen */
async function listens(port: number, check: () => void): Promise<void> {
  for (;;) {
    check()
    const socket = createConnection(port, '127.0.0.1')
    const open = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'close').then(() => false)])
      .catch(() => false)
      .finally(() => socket.destroy())
    if (open) return
  }
}
