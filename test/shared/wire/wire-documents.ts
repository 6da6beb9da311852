// Documents of the JSON wire shape for tests: complete and dull, so that a test says only what it is about.
import type { SourceKind } from '../../../services/shared/change.ts'
import type { WireDocument } from '../../../services/shared/wire/read-document.ts'

export const aFormDocument = (overrides: WireDocument = {}): WireDocument => ({
  project: 'demo',
  form_id: 'form-1',
  xmlns: 'http://example.org/visit',
  received_on: '2026-01-02T03:04:05.678901Z',
  xml: '<data xmlns="http://example.org/visit"/>',
  ...overrides,
})

export const aCaseDocument = (overrides: WireDocument = {}): WireDocument => ({
  project: 'demo',
  case_id: 'case-1',
  case_type: 'patient',
  case_name: 'Ana',
  owner_id: 'owner-1',
  user_id: 'user-1',
  opened_on: '2026-01-01T00:00:00.000000Z',
  date_modified: '2026-01-02T00:00:00.000000Z',
  server_modified_on: '2026-01-02T00:00:01.000000Z',
  closed: false,
  ...overrides,
})

export const anAppDocument = (overrides: WireDocument = {}): WireDocument => ({
  project: 'demo',
  app_id: 'app-1',
  saved_on: '2026-01-02T03:04:05.678901Z',
  ...overrides,
})

export const aDocument: Readonly<Record<SourceKind, (overrides?: WireDocument) => WireDocument>> = {
  forms: aFormDocument,
  cases: aCaseDocument,
  apps: anAppDocument,
}

export const without = (document: WireDocument, name: string): WireDocument =>
  Object.fromEntries(Object.entries(document).filter(([key]) => key !== name))
