// Addresses that nobody may make us dial, by the registries of IANA and the clouds' documentation: both ends of each range.

/** First and last of a range, and what lies in it that matters. */
const IPV4: Readonly<Record<string, readonly string[]>> = {
  'this network (0/8)': ['0.0.0.0', '0.0.0.1', '0.255.255.255'],
  'private (10/8)': ['10.0.0.0', '10.0.0.1', '10.96.0.1', '10.255.255.255'],
  'shared (100.64/10), with a cloud’s metadata': ['100.64.0.0', '100.100.100.200', '100.127.255.255'],
  'loopback (127/8)': ['127.0.0.0', '127.0.0.1', '127.0.0.53', '127.1.2.3', '127.255.255.255'],
  'link-local (169.254/16), with most clouds’ metadata': [
    '169.254.0.0',
    '169.254.169.253',
    '169.254.169.254',
    '169.254.170.2',
    '169.254.255.255',
  ],
  'private (172.16/12)': ['172.16.0.0', '172.17.0.1', '172.31.255.255'],
  'protocols (192.0.0/24), with a cloud’s metadata': ['192.0.0.0', '192.0.0.170', '192.0.0.192', '192.0.0.255'],
  'documentation (192.0.2/24)': ['192.0.2.0', '192.0.2.255'],
  '6to4 relays (192.88.99/24)': ['192.88.99.0', '192.88.99.255'],
  'private (192.168/16)': ['192.168.0.0', '192.168.1.1', '192.168.255.255'],
  'benchmarks (198.18/15)': ['198.18.0.0', '198.19.255.255'],
  'documentation (198.51.100/24)': ['198.51.100.0', '198.51.100.255'],
  'documentation (203.0.113/24)': ['203.0.113.0', '203.0.113.255'],
  'multicast (224/4)': ['224.0.0.0', '224.0.0.251', '239.255.255.255'],
  'reserved (240/4)': ['240.0.0.0', '247.1.1.1', '255.255.255.254'],
  broadcast: ['255.255.255.255'],
  'a cloud’s metadata at a public address': ['168.63.129.16'],
}

const IPV6: Readonly<Record<string, readonly string[]>> = {
  unspecified: ['::'],
  loopback: ['::1', '0:0:0:0:0:0:0:1'],
  'compatible (::/96)': ['::7f00:1', '::a9fe:a9fe', '::a00:1', '::ffff'],
  'translated (::ffff:0:0/96)': ['::ffff:0:7f00:1', '::ffff:0:a00:1'],
  'local NAT64 (64:ff9b:1::/48)': ['64:ff9b:1::', '64:ff9b:1::7f00:1', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff'],
  'discard (100::/64)': ['100::', '100::ffff:ffff:ffff:ffff'],
  'Teredo (2001::/32)': ['2001::', '2001:0:53aa:64c:0:7c5c:3f57:fe01', '2001:0:ffff:ffff:ffff:ffff:ffff:ffff'],
  'benchmarks (2001:2::/48)': ['2001:2::', '2001:2:0:ffff:ffff:ffff:ffff:ffff'],
  'ORCHID (2001:10::/28, 2001:20::/28)': ['2001:10::1', '2001:20::', '2001:2f:ffff:ffff:ffff:ffff:ffff:ffff'],
  'documentation (2001:db8::/32, 3fff::/20)': [
    '2001:db8::',
    '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
    '3fff::',
    '3fff:fff::1',
  ],
  'segment routing (5f00::/16)': ['5f00::', '5f00:ffff::1'],
  'unique local (fc00::/7), with a cloud’s metadata': ['fc00::', 'fd00:ec2::254', 'fd20:ce::254', 'fdff:ffff::1'],
  'link-local (fe80::/10)': ['fe80::', 'fe80::1', 'fe80::a9fe:a9fe', 'febf:ffff::1'],
  'site-local (fec0::/10)': ['fec0::', 'feff:ffff::1'],
  'multicast (ff00::/8)': ['ff00::', 'ff01::1', 'ff02::1', 'ff05::2', 'ffff:ffff::1'],
  'handed out to nobody': ['1::1', '200::1', '400::1', '1fff::1', '4000::1', '8000::1', 'e000::1', 'fbff::1'],
}

const hexadecimal = (address: string): string => {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

/** IPv6 forms that lead to an IPv4 address. */
const wrapped = (address: string): readonly string[] => [
  `::ffff:${address}`,
  `::ffff:${hexadecimal(address)}`,
  `64:ff9b::${hexadecimal(address)}`,
  `2002:${hexadecimal(address)}::1`,
]

const rows = (table: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(table).flatMap(([range, addresses]) => addresses.map((address) => ({ range, address })))

export const REFUSED_ADDRESSES: readonly { readonly range: string; readonly address: string }[] = [
  ...rows(IPV4),
  ...rows(IPV6),
  ...rows(IPV4).flatMap(({ range, address }) =>
    wrapped(address).map((form) => ({ range: `${range}, carried by IPv6`, address: form })),
  ),
]

/** As somebody may write 127.0.0.1 or 169.254.169.254 into a URL so that a look at the text does not see it. */
export const DISGUISED_HOSTS: readonly string[] = [
  '2130706433',
  '0x7f000001',
  '0x7f.0x0.0x0.0x1',
  '017700000001',
  '0177.0.0.01',
  '127.1',
  '127.0.1',
  '127.0.0.1.',
  '１２７.０.０.１',
  '127。0。0。1',
  '①②⑦.⓪.⓪.①',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '169.254.43518',
  '[::ffff:127.0.0.1]',
  '[0:0:0:0:0:ffff:7f00:1]',
  '[::ffff:a9fe:a9fe]',
  '0',
  'localhost',
  'LOCALHOST',
]
