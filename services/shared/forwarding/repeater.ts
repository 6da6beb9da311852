// A repeater: which changes go to which connection, as which payload.
import type { ConnectionId, ProjectId, RepeaterId } from '../ids.ts'

export type Filters = {
  /** Empty: all. */
  readonly caseTypes: readonly string[]
  /** Cases: the last modifier; forms: the submitter. */
  readonly excludeUsers: readonly string[]
  /** Empty: all. */
  readonly formXmlns: readonly string[]
  /** Cases only. `create`: exactly one form has touched it. */
  readonly on: 'any' | 'create' | 'update'
}

export type Repeater = {
  readonly id: RepeaterId
  readonly project: ProjectId
  readonly connection: ConnectionId
  readonly forward: 'forms' | 'cases' | 'form-stubs' | 'apps'
  readonly format: 'xml' | 'json'
  readonly method: 'POST' | 'PUT' | 'DELETE'
  readonly supersede: 'waiting' | 'never'
  readonly onDeadLetter: 'continue' | 'hold'
  readonly filters: Filters
  /** Forms: add the form's app id as the query parameter `app_id`. */
  readonly includeAppId: boolean
  /** Cases as XML: what a closed case is sent as. `close-only`: just a close block, as the guide says. */
  readonly closedCase: 'close-only' | 'full'
  /** Cases as XML: the version of the case block. */
  readonly version: '1.0' | '2.0'
  /** Replaces the payload's own Content-Type. */
  readonly contentType: string | null
}
