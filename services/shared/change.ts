// A change as Onward holds it after reading: the record of a source topic, decoded and checked.
// The wire shapes are the schemas in schemas/ (Avro, or JSON of the same shape); read-change.ts makes these values.
import type { CaseId, FormId, ProjectId } from './ids.ts'

declare const micros: unique symbol
/** An instant: microseconds since 1970-01-01T00:00:00Z. Safe as a number until the year 2255. */
export type Micros = number & { readonly [micros]: true }
export const asMicros = (value: number): Micros => value as Micros

export type Attachment = { readonly url: string; readonly contentType: string; readonly length: number | null }

export type FormChange = {
  readonly kind: 'form'
  readonly project: ProjectId
  readonly formId: FormId
  readonly xmlns: string
  readonly appId: string | null
  readonly buildId: string | null
  readonly receivedOn: Micros
  readonly userId: string | null
  readonly username: string | null
  readonly deviceId: string | null
  /** May be empty: then whoever needs them reads them from `xml`. */
  readonly caseIds: readonly CaseId[]
  /** The submitted document, byte for byte. */
  readonly xml: Buffer
  readonly editedOn: Micros | null
  readonly duplicate: boolean
  readonly attachments: Readonly<Record<string, Attachment>>
}

export type CaseIndex = {
  readonly identifier: string
  readonly caseType: string
  readonly caseId: CaseId
  /** `child` or `extension`. */
  readonly relationship: string
}

export type CaseChange = {
  readonly kind: 'case'
  readonly project: ProjectId
  readonly caseId: CaseId
  readonly caseType: string
  readonly caseName: string
  readonly ownerId: string
  readonly externalId: string | null
  readonly userId: string
  readonly openedOn: Micros
  readonly serverOpenedOn: Micros
  readonly dateModified: Micros
  readonly serverModifiedOn: Micros
  readonly closed: boolean
  readonly dateClosed: Micros | null
  readonly properties: Readonly<Record<string, string>>
  readonly indices: readonly CaseIndex[]
  /** The forms that touched the case, oldest first. */
  readonly xformIds: readonly string[]
  readonly attachments: Readonly<Record<string, Attachment>>
}

export type AppChange = {
  readonly kind: 'app'
  readonly project: ProjectId
  readonly appId: string
  /** Set when a new version was built. */
  readonly buildId: string | null
  readonly savedOn: Micros
}

export type Change = FormChange | CaseChange | AppChange
/** What a source topic carries; also the setting that names it (`ONWARD_TOPIC_FORMS`, …). */
export type SourceKind = 'forms' | 'cases' | 'apps'
