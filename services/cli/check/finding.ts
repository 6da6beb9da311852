// One thing `onward check` found out.

export type Finding = {
  /** `bad` is for somebody to put right; `unreachable` may pass by itself; a `note` changes nothing of the verdict. */
  readonly kind: 'good' | 'note' | 'bad' | 'unreachable'
  /** What was looked at: a setting, a file, the brokers. */
  readonly about: string
  readonly text: string
}

/** `1 broker`, `3 brokers`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
