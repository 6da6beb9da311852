// By which way an entry of `notify:` is told, and how it is shown. Pure. A reference (`${env:…}`) stands for a webhook's URL.

export type Way = 'mail' | 'webhook'

export const wayOf = (address: string): Way => (/^(https?:\/\/|\$\{)/i.test(address) ? 'webhook' : 'mail')

/** For logs and mails: whoever knows the whole URL of a webhook can post to it. Addresses and references stay as they are. */
export const showAddress = (address: string): string =>
  URL.canParse(address) && /^https?:/i.test(address) ? `${new URL(address).origin}/…` : address
