// Upstream: publishes changes of a few hundred cases until it is told to stop, hot cases more often, one record after another.
// Enter: a producer and a seed. Leave: records on the source topics; what came of them is read from there, not from here.
import { setTimeout as pause } from 'node:timers/promises'
import { sampleChanges } from '../../services/cli/publish/sample-changes.ts'
import { caseId } from '../../services/shared/ids.ts'
import type { Producer, ProducerRecord } from '../../services/shared/kafka/producer.ts'
import { renderWireDocument } from '../../services/shared/wire/render-document.ts'
import { caseValue } from '../support/changes.ts'
import { openRandom, type Random } from '../support/random.ts'

const CASES = 300
/** Half of all changes are of these: they change again while they wait. */
const HOT_CASES = 25
const FORM_PART = 0.25
const CLOSED_PART = 0.08
const EVERY_MS = 100
const AT_ONCE = 5

const [sampleForm] = sampleChanges()

/** Resolves when the signal aborts and what was sent is acknowledged. */
export async function publishChanges(
  producer: Producer,
  topics: { readonly forms: string; readonly cases: string },
  seed: number,
  signal: AbortSignal,
): Promise<void> {
  const random = openRandom(seed, 'upstream')
  for (let count = 0; !signal.aborted;) {
    const forms: ProducerRecord[] = []
    const cases: ProducerRecord[] = []
    for (let each = 0; each < AT_ONCE; each++) {
      const id = chooseCase(random)
      if (random.chance(FORM_PART)) forms.push({ key: id, value: formValue(id, count++) })
      else
        cases.push({ key: id, value: caseValue({ caseId: id, version: count++, closed: random.chance(CLOSED_PART) }) })
    }
    // Waits for brokers that are away: sends that overlapped could change places.
    if (forms.length > 0) await producer.send(topics.forms, forms)
    if (cases.length > 0) await producer.send(topics.cases, cases)
    await pause(EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}

const chooseCase = (random: Random): string =>
  `case-${random.chance(0.5) ? random.whole(HOT_CASES) : HOT_CASES + random.whole(CASES - HOT_CASES)}`

const formValue = (id: string, count: number): string =>
  JSON.stringify({
    ...renderWireDocument(sampleForm),
    form_id: `form-${count}`,
    case_ids: [id],
    xml: `<data xmlns="http://openrosa.org/formdesigner/visit"><case xmlns="http://commcarehq.org/case/transaction/v2" case_id="${caseId(id)}" date_modified="2026-01-01T00:00:00Z"><update><n>${count}</n></update></case></data>`,
  })
