// What this build calls itself, to remotes and in metrics.
import manifest from '../../package.json' with { type: 'json' }

export const VERSION: string = manifest.version
/** Product and version, then where a receiver's engineer finds out who is calling. */
export const USER_AGENT = `Onward/${VERSION} (+${manifest.homepage})`
