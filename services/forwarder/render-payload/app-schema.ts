// An app change as bare text. Enter: an app change. Leave: the id of the new build, or else of the app.
// Never: a newline. The content type says XML, as the guide does, and the body is none.
import type { AppChange } from '../../shared/change.ts'

export const renderAppSchema = (change: AppChange): string => change.buildId || change.appId
