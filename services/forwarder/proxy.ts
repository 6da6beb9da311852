// The outbound proxy, and which hosts are reached without it. Pure. Enter: the setting. Leave: where the proxy is, and answers.
import ipaddr from 'ipaddr.js'

export type Proxy = {
  readonly encrypted: boolean
  readonly host: string
  readonly port: number
  /** `user:password`, or null. */
  readonly credentials: string | null
  readonly except: readonly string[]
}

/** @param except hosts that are reached without it: names, `name:port`, addresses, networks, `*` */
export function readProxy(url: string, except: readonly string[]): Proxy {
  const { protocol, hostname, port, username, password } = new URL(url)
  const encrypted = protocol === 'https:'
  return {
    encrypted,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (encrypted ? 443 : 80) : Number(port),
    credentials: username === '' ? null : `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
    except,
  }
}

/** As curl reads NO_PROXY: a name stands for its subdomains too, with or without a dot before it. */
export function isExcepted({ except }: Proxy, host: string, port: number): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  return except.some((entry) => {
    if (entry === '*') return true
    if (entry.includes('/')) return isInNetwork(entry, name)
    const [, written = '', onPort] =
      /^(.*?)(?::(\d{1,5}))?$/.exec(ipaddr.isValid(entry) ? `${entry}:${port}` : entry) ?? []
    if (onPort !== undefined && Number(onPort) !== port) return false
    const wanted = written.toLowerCase().replace(/^\*?\./, '')
    return wanted !== '' && (name === wanted || name.endsWith(`.${wanted}`))
  })
}

function isInNetwork(entry: string, host: string): boolean {
  if (!ipaddr.isValid(host) || !ipaddr.isValidCIDR(entry)) return false
  const [network, bits] = ipaddr.parseCIDR(entry)
  const address = ipaddr.process(host)
  return address.kind() === network.kind() && address.match(network, bits)
}
