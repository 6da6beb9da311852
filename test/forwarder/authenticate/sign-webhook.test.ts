// Signatures against the published reference library.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { signWebhook } from '../../../services/forwarder/authenticate/sign-webhook.ts'
import { holdsFor } from '../../support/property.ts'

const secretOf = (bytes: Uint8Array) => `whsec_${Buffer.from(bytes).toString('base64')}`
const NEW = secretOf(Buffer.alloc(24, 1))
const OLD = secretOf(Buffer.alloc(64, 2))

test("the specification's own example", () => {
  // https://github.com/standard-webhooks/standard-webhooks: the id of its example is given, ours is a hash.
  const signature = new Webhook('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw').sign(
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    new Date(1_614_265_330_000),
    '{"test": 2432232314}',
  )
  assert.equal(signature, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test('every body that Onward may send is verified by the reference library, with each of the secrets', (t) => {
  holdsFor(
    t,
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.array(fc.uint8Array({ minLength: 24, maxLength: 64 }), { minLength: 1, maxLength: 4 }),
      fc.string({ minLength: 1 }),
      (text, bytes, key) => {
        const body = Buffer.from(text, 'utf8')
        const secrets = bytes.map(secretOf)
        // The library asks the machine's clock how old a signature is.
        const signed = signWebhook(secrets, key, Date.now(), body)
        assert(signed.kind === 'signed')
        const headers = Object.fromEntries(signed.lines)
        for (const secret of secrets) {
          const webhook = new Webhook(secret)
          webhook.verify(body, headers, { jsonParse: false })
        }
      },
    ),
  )
})

test('the id is the same for every attempt of a delivery, and holds no dot', () => {
  const [first, second] = [1_000, 99_000].map((now) => signWebhook([NEW], '"demo/a.b:c.d:0:1"', now, Buffer.from('x')))
  assert(first?.kind === 'signed' && second?.kind === 'signed')
  const id = (lines: typeof first.lines) => lines[0]?.[1]
  assert.equal(id(first.lines), id(second.lines))
  assert.match(id(first.lines) ?? '', /^msg_[A-Za-z0-9_-]{27}$/)
  assert.notEqual(first.lines[2]?.[1], second.lines[2]?.[1])
  assert.deepEqual(first.lines[1], ['webhook-timestamp', '1'])
})

test('while a secret is replaced, both sign', () => {
  const signed = signWebhook([NEW, OLD], 'k', 0, Buffer.from('x'))
  assert(signed.kind === 'signed')
  assert.match(signed.lines[2]?.[1] ?? '', /^v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=$/)
})

for (const [what, secret] of [
  ['short', secretOf(Buffer.alloc(23))],
  ['long', secretOf(Buffer.alloc(65))],
  ['no Base64', 'whsec_hunter2!'],
  ['empty', ''],
] as const) {
  test(`a secret that is ${what} is named by its place, not by its value`, () => {
    assert.deepEqual(signWebhook([NEW, secret], 'k', 0, Buffer.from('x')), {
      kind: 'unusable',
      error: 'signing: secret 2 is not whsec_ and 24 to 64 bytes in Base64',
    })
  })
}
