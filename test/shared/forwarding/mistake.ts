// Forwarding files with one kind of mistake each. `»` stands right before the place that must be named; it is not in the file.

export type Mistake = {
  readonly kind: string
  readonly file: string
  /** In the order of the marks. */
  readonly told: readonly { readonly message: string | RegExp; readonly fix: string | RegExp }[]
  /** False where JSON Schema cannot say it: a look at several values, or at the writing itself. */
  readonly schemaSeesIt: boolean
}

export const REGISTRY = 'connections: [{ id: registry, url: "https://registry.example/api" }]'

export const connection = (lines: string): string => `project: demo
connections:
  - id: registry
    url: https://registry.example/api
${lines}
`
export const repeater = (lines: string): string => `project: demo
${REGISTRY}
repeaters:
  - id: patients
    connection: registry
${lines}
`
export const writing = (kind: string, file: string, message: string | RegExp, fix: string | RegExp): Mistake => ({
  kind,
  file,
  told: [{ message, fix }],
  schemaSeesIt: false,
})
export const value = (kind: string, file: string, message: string | RegExp, fix: string | RegExp): Mistake => ({
  ...writing(kind, file, message, fix),
  schemaSeesIt: true,
})

export type Marked = {
  readonly text: string
  readonly places: readonly { readonly line: number; readonly column: number }[]
}

/** Takes the marks out, and says where they stood. */
export function readMarks(marked: string): Marked {
  const parts = marked.split('»')
  const places = parts.slice(0, -1).map((_part, index) => {
    const before = parts.slice(0, index + 1).join('')
    const lines = before.split('\n')
    return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
  })
  return { text: parts.join(''), places }
}
