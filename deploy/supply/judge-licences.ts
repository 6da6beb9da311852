// May what the image holds be distributed with our own, under Apache-2.0? Pure.
// Enter: the lock file's packages. Leave: each package that is distributed, its licence, and what is wrong with it.
import satisfies from 'spdx-satisfies'

export type Locked = {
  readonly version?: string
  /** An SPDX expression. */
  readonly license?: string
  readonly dev?: boolean
}

export type Licence = {
  readonly name: string
  readonly version: string
  readonly licence: string
  /** null: it may be. */
  readonly problem: string | null
}

/** They ask for no more than their text and notices beside the copy: node_modules in the image has both. */
const ALLOWED = [
  ...['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'CC0-1.0', 'ISC', 'MIT', 'MIT-0'],
  ...['Python-2.0', 'Unlicense', 'Zlib'],
]

/** Packages whose package.json says nothing, as somebody read it in the file that lies beside it. */
const READ_BY_HAND: Readonly<Record<string, string>> = {
  '@kafkajs/confluent-schema-registry@4.1.0': 'MIT',
}

/** @param packages of package-lock.json, by path */
export function judgeLicences(packages: Readonly<Record<string, Locked>>): readonly Licence[] {
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { version = '', license }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      const licence = license ?? READ_BY_HAND[`${name}@${version}`] ?? ''
      return { name, version, licence, problem: problemOf(licence) }
    })
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
}

function problemOf(licence: string): string | null {
  if (licence === '') return 'its package.json names no licence: read the one that lies beside it, and note it here'
  try {
    return satisfies(licence, ALLOWED) ? null : 'is not one of those that go with Apache-2.0'
  } catch {
    return 'is no SPDX expression'
  }
}
