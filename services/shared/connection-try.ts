// A try of a connection: what is asked for, and what was found, step by step. The command line asks, the forwarder's rooms find.

/** What is asked for, as JSON on standard input. Definitions are records of the configuration topic. */
export type TryJob = {
  readonly connection: { readonly key: string; readonly value: string }
  readonly repeater: { readonly key: string; readonly value: string }
  /** The sample change, as a value of a source topic. */
  readonly source: 'forms' | 'cases' | 'apps'
  readonly value: string
  /** `send`: everything; `render`: nothing leaves this machine; `look`: as far as the first byte of a delivery, a token fetched. */
  readonly mode: 'send' | 'render' | 'look'
}

export type Step = {
  readonly name: 'secrets' | 'tls files' | 'payload' | 'address' | 'connect' | 'token' | 'request' | 'verdict'
  readonly ok: boolean
  /** Milliseconds. */
  readonly took: number
  /** One line for a person. */
  readonly text: string
  /** More lines: a request as it was sent, secrets masked; an answer as it came. */
  readonly lines: readonly string[]
}

export type Tried = { readonly id: string; readonly ok: boolean; readonly steps: readonly Step[] }
