// The types of living-process.mjs, which is plain JavaScript since it runs before anything is installed.
export function processStart(pid: number): string | undefined
export const ownIdentity: string
export function isLiving(identity: string): boolean
