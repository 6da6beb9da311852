// What a receiver has seen of each case. Pure. Enter: bodies. Leave: how many changes are settled, and whether order held.
// A change is settled when it or a newer state of its case has arrived: so superseded states count once their successor is here.

export type BookFigures = {
  /** Changes that arrived, or that a newer state of their case made needless. */
  readonly settled: number
  /** Requests whose version was below one already seen: an order that was broken. */
  readonly outOfOrder: number
  /** Requests whose version had been seen last: a duplicate, allowed after a crash only. */
  readonly repeated: number
  /** Versions of a case that never came although a later one did: superseded, or lost. */
  readonly skipped: number
  /** Bodies that name no case: a bare loop may send them. */
  readonly unnamed: number
}

export type CaseBook = {
  /** @param body as text; the first `case_id` and the first `version` in it are the case and its count */
  enter(body: string): void
  figures(): BookFigures
  clear(): void
}

const CASE_ID = '"case_id":"'
const VERSION = '"version":"'

export function createCaseBook(): CaseBook {
  const newest = new Map<string, number>()
  let settled = 0
  let outOfOrder = 0
  let repeated = 0
  let skipped = 0
  let unnamed = 0
  return {
    enter(body) {
      const caseId = textAfter(body, CASE_ID)
      const version = Number(textAfter(body, VERSION))
      if (caseId === '' || !Number.isInteger(version) || version < 1) {
        unnamed += 1
        return
      }
      const last = newest.get(caseId) ?? 0
      if (version > last) {
        newest.set(caseId, version)
        settled += version - last
        skipped += version - last - 1
      } else if (version === last) repeated += 1
      else outOfOrder += 1
    },
    figures: () => ({ settled, outOfOrder, repeated, skipped, unnamed }),
    clear() {
      newest.clear()
      settled = outOfOrder = repeated = skipped = unnamed = 0
    },
  }
}

/** The text between `name` and the next quote; empty when the body has none. Values here hold no escaped quote. */
export function textAfter(body: string, name: string): string {
  const at = body.indexOf(name)
  if (at < 0) return ''
  const start = at + name.length
  const end = body.indexOf('"', start)
  return end < 0 ? '' : body.slice(start, end)
}
