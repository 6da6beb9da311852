// Name resolution behind the guard. Enter: a host. Leave: addresses that are all allowed, or a refusal in words.
// The addresses that are judged are those that are dialled: no name can be answered twice differently.
import { lookup as lookupName, type LookupAddress, type LookupAllOptions } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import type { AddressGuard } from './address-guard.ts'
import { CodedError } from './coded-error.ts'

/** A literal never goes through a lookup. @returns why it may not be dialled; undefined for a name, and for what is allowed */
export function refuseLiteral(guard: AddressGuard, hostname: string): CodedError | undefined {
  const literal = hostname.replace(/^\[|\]$/g, '')
  return isIP(literal) === 0 ? undefined : refuse(guard, hostname, [literal])
}

/** @returns why nothing may be dialled at this port, whatever the address */
export const refusePort = (guard: AddressGuard, hostname: string, port: number): CodedError | undefined =>
  guard.forbidsPort(port)
    ? notAllowed(`${hostname} is asked for at port ${port}, which ONWARD_FORBID_PORTS lists`)
    : undefined

/** @param done told the first address, all of the name's being allowed */
export function resolveHost(
  hostname: string,
  guard: AddressGuard,
  done: (error: Error | null, address: string) => void,
): void {
  const literal = hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal)) return done(null, literal)
  guardedLookup(guard)(hostname, { all: false }, (error, address) => {
    done(error, typeof address === 'string' ? address : '')
  })
}

/** Every address of the name must be allowed: one that is not says that the name is not what it seems. */
export function guardedLookup(guard: AddressGuard): LookupFunction {
  return (hostname, options, callback) => {
    lookUp(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0)
      const refusal = refuse(
        guard,
        hostname,
        found.map(({ address }) => address),
      )
      const first = found[0]
      if (refusal || !first) callback(refusal ?? notAllowed(`${hostname} has no address`), '', 0)
      else if (options.all === true) callback(null, [...found])
      else callback(null, first.address, first.family)
    })
  }
}

type Told = (error: NodeJS.ErrnoException | null, found: readonly LookupAddress[]) => void

/** Who waits for a look-up that is under way, by name and kind. */
const underWay = new Map<string, Told[]>()

/**
 * One look-up for all who ask for a name at once. The system's resolver takes a thread for each, and keeps it for many seconds when a
 * name server is silent: those of one connection must not take them all from the others.
 */
function lookUp(hostname: string, options: LookupAllOptions, told: Told): void {
  const key = `${hostname} ${options.family ?? 0} ${options.hints ?? 0}`
  const waiting = underWay.get(key)
  if (waiting) return void waiting.push(told)
  const all = [told]
  underWay.set(key, all)
  lookupName(hostname, options, (error, found) => {
    underWay.delete(key)
    for (const each of all) each(error, found)
  })
}

const notAllowed = (message: string) => new CodedError('ADDRESS_NOT_ALLOWED', message)

export function refuse(guard: AddressGuard, host: string, addresses: readonly string[]): CodedError | undefined {
  for (const address of addresses) {
    const judged = guard(address)
    if (judged.kind === 'refused') {
      return notAllowed(
        `${host} is at ${address}, which is ${judged.why}: not allowed unless ONWARD_ALLOW_ADDRESSES lists it`,
      )
    }
  }
  return undefined
}
