// The ids of the glossary, branded so that one is never passed for another.
// Enter: plain text that a reader or the configuration has checked. Leave: branded ids.
// Connection and repeater ids are qualified everywhere outside the forwarding file: `<project>/<id>`.

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

export type ProjectId = Branded<'project'>
export type ConnectionId = Branded<'connection'>
export type RepeaterId = Branded<'repeater'>
export type CaseId = Branded<'case'>
export type FormId = Branded<'form'>
/** Names a lane also while it is forgotten, since all it had is parked. */
export type LaneKey = Branded<'lane'>

export const projectId = (text: string): ProjectId => text as ProjectId
export const caseId = (text: string): CaseId => text as CaseId
export const formId = (text: string): FormId => text as FormId

/** What a qualified id begins with. */
export const projectOf = (id: ConnectionId | RepeaterId): ProjectId => projectId(id.slice(0, id.indexOf('/')))

/** @param id the id as the forwarding file writes it, unique within the project */
export const connectionId = (project: ProjectId, id: string): ConnectionId => `${project}/${id}` as ConnectionId

/** @param id the id as the forwarding file writes it, unique within the project */
export const repeaterId = (project: ProjectId, id: string): RepeaterId => `${project}/${id}` as RepeaterId

/** No id of a repeater holds U+0000, so no two lanes have one key. */
export const laneKey = (repeater: RepeaterId, caseId: CaseId): LaneKey => `${repeater}\u0000${caseId}` as LaneKey
