// The types of pid-lock.mjs, which is plain JavaScript since it runs before anything is installed.
export function takePidLock(file: string, waits?: () => void, signal?: AbortSignal): Promise<() => void>
