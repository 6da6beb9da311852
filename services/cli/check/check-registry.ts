// Does the schema registry answer? Enter: its settings and a time limit. Leave: findings. Never: its password in one of them.
import { renderDuration } from '../../shared/duration.ts'
import type { Clock, Millis } from '../../shared/clock.ts'
import { errorText } from '../../shared/error-text.ts'
import type { RegistrySettings } from '../../shared/settings.ts'
import { counted, type Finding } from './finding.ts'

export async function checkRegistry(
  registry: RegistrySettings | null,
  timeout: Millis,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const about = 'registry'
  if (!registry) return [{ kind: 'note', about, text: 'SCHEMA_REGISTRY_URL is not set: only JSON values are read' }]
  const { url, username, password } = registry
  const headers: Record<string, string> = { accept: 'application/json' }
  if (username !== null && password !== null) {
    headers['authorization'] = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  }
  const deadline = new AbortController()
  const cancel = clock.after(timeout, () => deadline.abort(new Error(`no answer within ${renderDuration(timeout)}`)))
  try {
    const answer = await fetch(`${url}/subjects`, { headers, signal: AbortSignal.any([signal, deadline.signal]) })
    const subjects: unknown = answer.ok ? await answer.json().catch(() => undefined) : undefined
    if (Array.isArray(subjects))
      return [{ kind: 'good', about, text: `${url} answers, ${counted(subjects.length, 'subject')}` }]
    const fix =
      answer.status === 401 || answer.status === 403
        ? 'check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD'
        : "check SCHEMA_REGISTRY_URL: it ends where the registry's own paths begin, before /subjects"
    return [{ kind: 'bad', about, text: `${url}/subjects answers ${answer.status} and no list: ${fix}` }]
  } catch (error) {
    signal.throwIfAborted()
    return [{ kind: 'unreachable', about, text: `${url}: ${reasonOf(error)}. Check SCHEMA_REGISTRY_URL.` }]
  } finally {
    cancel()
  }
}

/** fetch says only that it failed; why is one error further down. */
const reasonOf = (error: unknown): string =>
  error instanceof Error && error.cause instanceof Error ? errorText(error.cause) : errorText(error)
