// Which addresses a connection may be dialled at. Pure judgement; dial.ts asks it for the address that is really dialled,
// after name resolution, so that no name can be answered twice differently.
// Refused: everything that is not plain public unicast (loopback, private, link-local and cloud metadata, shared, reserved,
// multicast, documentation, and their IPv6 forms), unless ONWARD_ALLOW_ADDRESSES lists it.
import ipaddr from 'ipaddr.js'
import type { PortRange } from './setting-readers.ts'

export type AddressGuard = {
  (address: string): { readonly kind: 'allowed' } | { readonly kind: 'refused'; readonly why: string }
  /** Whatever the address. */
  readonly forbidsPort: (port: number) => boolean
}

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number]

/** IPv6 forms that carry an IPv4 address: the carried one decides, whatever wrapping a resolver chose. */
const NAT64 = ipaddr.IPv6.parse('64:ff9b::')
const SIX_TO_FOUR = ipaddr.IPv6.parse('2002::')
/** All that is handed out of IPv6 today (RFC 4291, IANA): what lies beside it is unused, or an old form of IPv4 (`::127.0.0.1`). */
const GLOBAL_UNICAST = ipaddr.IPv6.parse('2000::')
/** Answers on every virtual machine of one cloud, at an address that looks public. */
const METADATA = '168.63.129.16'

/** @param allow CIDRs, already validated by the settings */
export function openAddressGuard(allow: readonly string[], forbidPorts: readonly PortRange[] = []): AddressGuard {
  const networks = allow.map((cidr) => plain(ipaddr.parseCIDR(cidr)))
  const judge = (address: string): ReturnType<AddressGuard> => {
    if (!ipaddr.isValid(address)) return { kind: 'refused', why: 'not an IP address' }
    const dialled = ipaddr.process(address)
    if (networks.some((network) => covers(network, dialled))) return { kind: 'allowed' }
    const judged = carried(dialled)
    if (judged.toString() === METADATA) return { kind: 'refused', why: 'cloud metadata' }
    if (judged instanceof ipaddr.IPv6 && !judged.match(GLOBAL_UNICAST, 3))
      return { kind: 'refused', why: rangeOf(judged) }
    return judged.range() === 'unicast' ? { kind: 'allowed' } : { kind: 'refused', why: rangeOf(judged) }
  }
  const forbidsPort = (port: number) => forbidPorts.some(([first, last]) => first <= port && port <= last)
  return Object.assign(judge, { forbidsPort })
}

/** `::ffff:10.0.0.0/104` means `10.0.0.0/8`: addresses are compared in their IPv4 form. */
const plain = ([network, bits]: Network): Network =>
  network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress() && bits >= 96
    ? [network.toIPv4Address(), bits - 96]
    : [network, bits]

const rangeOf = (address: ipaddr.IPv4 | ipaddr.IPv6): string => {
  const range = address.range()
  return range === 'unicast' ? 'not in use' : (WORDS[range] ?? range)
}

const WORDS: Readonly<Record<string, string>> = {
  carrierGradeNat: 'shared (carrier-grade NAT)',
  linkLocal: 'link-local',
  uniqueLocal: 'unique local',
}

const covers = ([network, bits]: Network, address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  network.kind() === address.kind() && address.match(network, bits)

function carried(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (!(address instanceof ipaddr.IPv6)) return address
  const bytes = address.toByteArray()
  if (address.match(NAT64, 96)) return new ipaddr.IPv4(bytes.slice(12))
  if (address.match(SIX_TO_FOUR, 16)) return new ipaddr.IPv4(bytes.slice(2, 6))
  return address
}
