// How telling somebody ended, by mail or webhook. A fact; what follows from it decide-mail.ts says.

export type SendOutcome =
  | { readonly kind: 'accepted' }
  /** It was surely not taken: its notices may be told in another mail. */
  | { readonly kind: 'not-sent'; readonly error: string }
  /** It may have been taken: the same mail again, by the same Message-ID. */
  | { readonly kind: 'unknown'; readonly error: string }
  /** The address, or the mail, was refused for good. */
  | { readonly kind: 'refused'; readonly error: string }
