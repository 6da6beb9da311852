// Source topics that have more partitions than are read. Enter: the cluster, the configuration. Leave: what is on record of each.
import type { Directory } from '../../shared/forwarding/directory.ts'
import type { TopicVersions } from '../../shared/forwarding/topic-versions.ts'
import type { Admin } from '../../shared/kafka/admin.ts'
import { sourceTopics } from '../../shared/kafka/plan-topics.ts'
import type { Settings } from '../../shared/settings.ts'
import type { Growth } from './count-unfinished.ts'

export async function findGrown(
  admin: Admin,
  settings: Pick<Settings, 'topics'>,
  directory: Pick<Directory, 'source'>,
): Promise<readonly { readonly growth: Growth; readonly known: TopicVersions }[]> {
  const topics = await admin.describeTopics(sourceTopics(settings.topics))
  return [...topics.values()].flatMap(({ name, replicas }) => {
    // Nobody has read it yet: whoever does first reads all that there is.
    const known = directory.source(name)
    if (!known || replicas.length <= known.bases.length) return []
    return [{ growth: { topic: name, before: known.bases.length, after: replicas.length }, known }]
  })
}
