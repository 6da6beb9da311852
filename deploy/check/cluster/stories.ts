// What a platform engineer does with the chart, each told in a namespace of its own. Enter: a ground. Leaves: nothing, or an Error that
// says what was not as it should be.
import assert from 'node:assert/strict'
import { until } from '../until.ts'
import type { KubernetesObject } from './api.ts'
import { RELEASE, upgrade, valuesOf, type Ground } from './ground.ts'

export type Story = {
  readonly title: string
  /** Tells with what it was, counted. */
  readonly tell: (ground: Ground) => Promise<string>
}

export const restricted: Story = {
  title: 'the namespace refuses a pod that is not restricted',
  tell: async ({ cluster, namespace }) => {
    const pod = { metadata: { name: 'free' }, spec: { containers: [{ name: 'free', image: 'free' }] } }
    await assert.rejects(
      cluster.api.create(`/api/v1/namespaces/${namespace}/pods`, pod),
      /violates PodSecurity "restricted/,
    )
    return 'by the API server'
  },
}

export const oneLife: Story = {
  title: 'install, install again, upgrade, roll back, upgrade again, uninstall',
  tell: async (ground) => {
    const { helm, contents } = ground
    const begunAt = performance.now()
    const notes = await helm(...upgrade(valuesOf('smallest')))
    const installedIn = ((performance.now() - begunAt) / 1_000).toFixed(1)
    assert.match(notes, /rollout status deployment\/onward-forwarder/)
    const first = await workload(ground)
    assert.deepEqual(
      [...(await contents()).keys()].filter((name) => name.startsWith('Job ')),
      [],
      'the job stayed',
    )

    await helm(...upgrade(valuesOf('smallest')))
    const again = await workload(ground)
    assert.deepEqual(again, first, 'a second install changed something')

    await helm(...upgrade(valuesOf('smallest'), '--set', 'forwarder.replicas=3', '--set', 'networkPolicy.enabled=true'))
    const larger = await workload(ground)
    assert.equal(specOf(larger.get('Deployment onward-forwarder')).replicas, 3)
    assert.ok((await contents()).has('PodDisruptionBudget onward-forwarder'))

    await helm('rollback', RELEASE, '1', '--wait', '--timeout', '120s')
    const back = await workload(ground)
    assert.deepEqual(specsOf(back), specsOf(first), 'the rollback did not restore what was installed first')
    assert.ok(
      !(await contents()).has('PodDisruptionBudget onward-forwarder'),
      'the rollback left the disruption budget',
    )

    await helm(...upgrade(valuesOf('smallest'), '--set', 'forwarder.replicas=2'))
    await helm('test', RELEASE)
    await helm('uninstall', RELEASE, '--wait', '--timeout', '120s')
    await leavesNothing(ground)
    // Not judged: the README tells how long somebody waits.
    return `5 revisions, the first of ten lines in ${installedIn} s`
  },
}

export const wrongValues: Story = {
  title: 'a wrong value is refused with a sentence, and nothing changes',
  tell: async (ground) => {
    const { helm, refused, contents } = ground
    const nothing = await refused(
      'install',
      RELEASE,
      ...upgrade(valuesOf('smallest'), '--set', 'kafka.brokers=null').slice(3),
    )
    assert.match(nothing, /kafka\.brokers is empty: set it to the brokers/)
    assert.deepEqual([...(await contents()).keys()], [], 'a refused install left something')
    await helm(...upgrade(valuesOf('smallest')))
    const before = await workload(ground)
    const wrong: readonly (readonly [set: string, sentence: RegExp])[] = [
      ['forwarder.replica=3', /additional properties 'replica' not allowed/],
      ['forwarder.replicas=many', /replicas': got string, want integer/],
      ['settings.ONWARD_LOG_LEVELS=debug', /'ONWARD_LOG_LEVELS' not allowed/],
      ['forwarder.terminationGracePeriodSeconds=5', /must be 40 or more, the drain \(20s\)/],
      ['kafka.sasl.mechanism=plain', /names no Secret with the password/],
    ]
    for (const [set, sentence] of wrong)
      assert.match(await refused(...upgrade(valuesOf('smallest'), '--set', set)), sentence)
    assert.deepEqual(await workload(ground), before)
    assert.match(await helm('list', '--output', 'json'), /"revision":"1"/)
    return `${wrong.length + 1} values`
  },
}

export const withoutOperators: Story = {
  title: 'an optional part whose operator is not there is refused, and what ran goes on',
  tell: async (ground) => {
    await ground.helm(...upgrade(valuesOf('smallest')))
    const before = await workload(ground)
    const parts = { keda: 'ScaledObject', strimzi: 'Kafka(?:Topic|User)', monitoring: 'PodMonitor|PrometheusRule' }
    for (const [name, kind] of Object.entries(parts)) {
      const said = await ground.refused(...upgrade(valuesOf(name)))
      assert.match(said, new RegExp(`no matches for kind "(?:${kind})"`))
    }
    assert.deepEqual(specsOf(await workload(ground)), specsOf(before))
    return Object.keys(parts).join(', ')
  },
}

/** @param name of a file of the chart's `ci/` @param kept what the notes say that an uninstall leaves */
export const installedWith = (name: string, kept: RegExp | undefined): Story => ({
  title: `installed with ci/${name}-values.yaml`,
  tell: async (ground) => {
    if (name === 'everything') await makeWhatIsNamed(ground)
    const given = await ground.contents()
    const notes = await ground.helm(...upgrade(valuesOf(name)))
    const installed = await ground.contents()
    if (/helm .* test/.test(notes)) await ground.helm('test', RELEASE)
    await ground.helm('uninstall', RELEASE, '--wait', '--timeout', '120s')
    await leavesNothing(ground, (left) => given.has(left) || (kept?.test(left) ?? false))
    if (kept !== undefined) assert.match(notes, kept, 'the notes do not say what stays')
    return `${installed.size} objects`
  },
})

export const onAndOff: Story = {
  title: 'each optional part is turned on and off by an upgrade',
  tell: async (ground) => {
    const { helm, contents } = ground
    await helm(...upgrade(valuesOf('nothing-forwarded')))
    const without = [...(await contents()).keys()].filter((name) => !isPassing(name)).toSorted()
    const parts = {
      keda: 'ScaledObject onward-forwarder',
      hpa: 'HorizontalPodAutoscaler onward-forwarder',
      monitoring: 'PrometheusRule onward',
      'service-monitor': 'ServiceMonitor onward',
      'network-policy': 'NetworkPolicy onward-notifier',
    }
    for (const [name, object] of Object.entries(parts)) {
      await helm(...upgrade(valuesOf(name)))
      assert.ok((await contents()).has(object), `${name} made no ${object}`)
      await helm(...upgrade(valuesOf('nothing-forwarded')))
      const left = [...(await contents()).keys()].filter((left) => !isPassing(left)).toSorted()
      assert.deepEqual(left, without, `${name} left something when it was turned off`)
    }
    return Object.keys(parts).join(', ')
  },
}

export const failedInstall: Story = {
  title: 'an install that fails leaves what the notes say, and their line removes it',
  tell: async (ground) => {
    const { helm, refused, contents, cluster, namespace } = ground
    // Its pods are refused here, so the job never ends.
    const never = ['securityContext.allowPrivilegeEscalation=true', 'prepare.activeDeadlineSeconds=10']
    const said = await refused(...upgrade(valuesOf('smallest'), ...never.flatMap((set) => ['--set', set])))
    assert.match(said, /failed pre-install: .*onward-prepare/s)
    await helm('uninstall', RELEASE, '--wait', '--timeout', '120s')
    const left = [...(await contents()).keys()].toSorted()
    assert.deepEqual(left, ['Job onward-prepare'])
    const selector = 'labelSelector=app.kubernetes.io/instance%3Donward,app.kubernetes.io/component%3Dprepare'
    await cluster.api.delete(`/apis/batch/v1/namespaces/${namespace}/jobs?${selector}&propagationPolicy=Background`)
    await leavesNothing(ground)
    return left.join(', ')
  },
}

/** Deployments with what changes when somebody changes them: their generation; and their pods by name. */
async function workload({ contents }: Ground): Promise<ReadonlyMap<string, KubernetesObject>> {
  const found = [...(await contents())].filter(([name]) => name.startsWith('Deployment ') || name.startsWith('Pod '))
  const kept = found.map(([name, { kind, metadata, spec }]): [string, KubernetesObject] => [
    name,
    { kind, metadata: { name: metadata.name, uid: metadata.uid, generation: metadata.generation ?? 0 }, spec },
  ])
  return new Map(kept.toSorted(([left], [right]) => (left < right ? -1 : 1)))
}

const specOf = (object: KubernetesObject | undefined): { readonly replicas?: number } => object?.spec ?? {}

const specsOf = (objects: ReadonlyMap<string, KubernetesObject>): readonly unknown[] =>
  [...objects].filter(([name]) => name.startsWith('Deployment ')).map(([name, { spec }]) => [name, spec])

/** What comes and goes with pods, and Helm's own records of its revisions. */
const isPassing = (name: string): boolean =>
  /^(?:Pod|ReplicaSet|EndpointSlice|Endpoints|Lease|ControllerRevision) /.test(name) || name.includes('sh.helm.release')

/** @param mayStay what the notes name, or was there before */
async function leavesNothing({ contents }: Ground, mayStay: (name: string) => boolean = () => false): Promise<void> {
  let left: readonly string[] = []
  const isEmpty = async () => {
    left = [...(await contents()).keys()].filter((name) => !mayStay(name))
    return left.length === 0
  }
  await until('an empty namespace', isEmpty).catch(() => undefined)
  assert.deepEqual(left, [], 'the uninstall left something that the notes do not name')
}

/** What that values file names and somebody else makes. */
async function makeWhatIsNamed({ cluster, namespace }: Ground): Promise<void> {
  await cluster.api.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'onward' } })
  const priority = { metadata: { name: 'data' }, value: 1000 }
  await cluster.api.create('/apis/scheduling.k8s.io/v1/priorityclasses', priority).catch((error: unknown) => {
    // The first story that needs it made it.
    if (!/already exists/.test(String(error))) throw error
  })
}
