// Closes a union: the compiler refuses a call while a case is missing.

/** @throws Error naming the value, when types were defeated at run time */
export function assertNever(value: never): never {
  throw new Error(`A case is missing for ${JSON.stringify(value)}`)
}
