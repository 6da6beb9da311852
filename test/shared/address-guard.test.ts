import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openAddressGuard } from '../../services/shared/address-guard.ts'
import { holdsFor } from '../support/property.ts'

const guard = openAddressGuard([])

const REFUSED: readonly (readonly [string, string])[] = [
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['169.254.169.254', 'link-local, cloud metadata'],
  ['169.254.0.1', 'link-local'],
  ['168.63.129.16', 'the metadata server of a cloud, at a public address'],
  ['100.64.0.1', 'shared'],
  ['100.100.100.200', 'shared, cloud metadata'],
  ['100.127.255.255', 'shared'],
  ['0.0.0.0', 'this host'],
  ['0.1.2.3', 'this network'],
  ['192.0.0.192', 'reserved, cloud metadata'],
  ['192.0.2.1', 'documentation'],
  ['198.51.100.1', 'documentation'],
  ['203.0.113.1', 'documentation'],
  ['198.18.0.1', 'benchmarks'],
  ['192.88.99.1', 'reserved'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['::1', 'loopback'],
  ['::', 'this host'],
  ['::7f00:1', 'loopback in the compatible form'],
  ['::a00:1', 'private in the compatible form'],
  ['::ffff:127.0.0.1', 'loopback, mapped'],
  ['::ffff:a9fe:a9fe', 'cloud metadata, mapped'],
  ['0:0:0:0:0:ffff:7f00:0001', 'loopback, mapped, in full'],
  ['::ffff:0:127.0.0.1', 'loopback, translated'],
  ['64:ff9b::7f00:1', 'loopback through NAT64'],
  ['64:ff9b::10.0.0.1', 'private through NAT64'],
  ['64:ff9b:1::a00:1', 'a local NAT64 prefix'],
  ['2002:7f00:1::', 'loopback in 6to4'],
  ['2002:c0a8:101::1', 'private in 6to4'],
  ['2001:0:53aa:64c:0:7c5c:3f57:fe01', 'Teredo'],
  ['fc00::1', 'unique local'],
  ['fd00:ec2::254', 'unique local, cloud metadata'],
  ['fe80::1', 'link-local'],
  ['febf::1', 'link-local'],
  ['fec0::1', 'site-local'],
  ['ff02::1', 'multicast'],
  ['2001:db8::1', 'documentation'],
  ['3fff::1', 'documentation'],
  ['100::1', 'discard'],
  ['2001:2::1', 'benchmarks'],
  ['2001:20::1', 'ORCHID'],
  ['4000::1', 'not handed out to anybody'],
  ['1::1', 'not handed out to anybody'],
  ['e000::1', 'not handed out to anybody'],
  ['localhost', 'a name, no address'],
  ['', 'nothing'],
]
for (const [address, what] of REFUSED) {
  test(`${address || 'an empty text'} is refused: ${what}`, () => {
    const judged = guard(address)
    assert(judged.kind === 'refused')
    assert.notEqual(judged.why, '')
  })
}

const ALLOWED = [
  '1.1.1.1',
  '93.184.216.34',
  '172.32.0.1',
  '172.15.255.255',
  '100.128.0.1',
  '11.0.0.1',
  '223.255.255.254',
]
const ALLOWED_6 = [
  '2606:4700:4700::1111',
  '2a00:1450:4001:81b::200e',
  '::ffff:1.1.1.1',
  '64:ff9b::1.1.1.1',
  '2002:101:101::1',
]
for (const address of [...ALLOWED, ...ALLOWED_6]) {
  test(`${address} is allowed: plain public unicast`, () => {
    assert.equal(guard(address).kind, 'allowed')
  })
}

test('a listed network is allowed, and nothing beside it', () => {
  const open = openAddressGuard(['127.0.0.0/8', '10.1.0.0/16', 'fd00::/8'])
  for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '10.1.255.255', 'fd12::1']) {
    assert.equal(open(address).kind, 'allowed', address)
  }
  for (const address of ['10.2.0.1', '169.254.169.254', '::1', 'fc00::1'])
    assert.equal(open(address).kind, 'refused', address)
})

test('a listed network in the mapped form of IPv6 allows the address it means', () => {
  assert.equal(openAddressGuard(['::ffff:10.1.0.0/112'])('10.1.2.3').kind, 'allowed')
  assert.equal(openAddressGuard(['::ffff:10.1.0.0/112'])('10.2.2.3').kind, 'refused')
})

test('no text makes the guard throw, and whatever is wrapped around an IPv4 address does not change the judgement', (t) => {
  holdsFor(
    t,
    fc.property(fc.oneof(fc.string(), fc.ipV6()), (text) => {
      assert.match(guard(text).kind, /^(allowed|refused)$/)
    }),
  )
  holdsFor(
    t,
    fc.property(fc.ipV4(), (address) => {
      const { kind } = guard(address)
      for (const wrapped of [`::ffff:${address}`, `64:ff9b::${address}`])
        assert.equal(guard(wrapped).kind, kind, wrapped)
    }),
  )
})
