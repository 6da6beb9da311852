// A file of case changes → changes. Enter: text that is one JSON object, an array of them, or one a line.
// Leave: changes, or a ChangeFileError that says which one and why. Never: I/O, a change that the forwarder could not read.
import { errorText } from '../../shared/error-text.ts'
import { readDocument } from '../../shared/wire/read-document.ts'
import type { Change } from '../../shared/change.ts'

export class ChangeFileError extends Error {
  override readonly name = 'ChangeFileError'
  readonly code = 'CHANGE_FILE_INVALID'
}

/** @param file its name, for errors @throws ChangeFileError */
export function readCaseFile(text: string, file: string): readonly Change[] {
  const documents = readDocuments(text, file)
  if (documents.length === 0) throw new ChangeFileError(`${file} holds no change`)
  return documents.map(({ place, document }) => {
    try {
      return readDocument('cases', document)
    } catch (error) {
      throw new ChangeFileError(`${file}${place}: ${errorText(error)}`)
    }
  })
}

type Placed = { readonly place: string; readonly document: unknown }

function readDocuments(text: string, file: string): readonly Placed[] {
  const whole = parse(text)
  if (whole.kind === 'parsed') {
    const { value } = whole
    if (!Array.isArray(value)) return [{ place: '', document: value }]
    return value.map((document: unknown, index) => ({ place: `, change ${index + 1}`, document }))
  }
  const lines = text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [{ line, number: index + 1 }]))
  return lines.map(({ line, number }) => {
    const read = parse(line)
    if (read.kind === 'parsed') return { place: ` line ${number}`, document: read.value }
    // A first line that is no JSON by itself: the file was meant as one document.
    if (number === lines[0]?.number) throw new ChangeFileError(`${file} is not JSON: ${whole.error}`)
    throw new ChangeFileError(`${file} line ${number} is not JSON: ${read.error}`)
  })
}

type Parsed =
  { readonly kind: 'parsed'; readonly value: unknown } | { readonly kind: 'malformed'; readonly error: string }

function parse(text: string): Parsed {
  try {
    return { kind: 'parsed', value: JSON.parse(text) }
  } catch (error) {
    return { kind: 'malformed', error: errorText(error) }
  }
}
