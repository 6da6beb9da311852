// What the compose specification allows and we do not: in docker-compose.yml, or in a copy of it that somebody broke. Pure.
// Enter: the file's text, what exists, the settings of the services. Leave: problems, each with its place in the file.
// Never: the specification's own rules, which compose-go judges.
import { parse } from 'yaml'

export type ComposeSurroundings = {
  /** @param path from the file's folder */
  readonly exists: (path: string) => boolean
  /** By name; true for one that bears a secret. */
  readonly settings: ReadonlyMap<string, boolean>
}

type Service = {
  readonly image?: string
  readonly build?: unknown
  readonly pull_policy?: string
  readonly user?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly profiles?: readonly string[]
  readonly restart?: string
  readonly environment?: Readonly<Record<string, string | number | null>>
  readonly depends_on?: Readonly<Record<string, { readonly condition?: string }>>
  readonly healthcheck?: { readonly disable?: boolean; readonly test?: unknown }
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
}

const PROFILES = ['core', 'observability']
/** Names that begin so are read by the services: what they do not know ends them. */
const OURS = /^(?:ONWARD|KAFKA|SMTP|SCHEMA_REGISTRY)_/

export function judgeCompose(text: string, surroundings: ComposeSurroundings): readonly string[] {
  const services = readServices(text)
  const ours = builtImage(services)
  const ofEach = Object.entries(services).flatMap(([name, service]) =>
    [
      ...judgeImage(service),
      ...judgeConfinement(service, ours),
      ...judgeProfiles(service),
      ...judgeDependencies(service, services),
      ...judgeEnvironment(service, ours, surroundings),
      ...judgeVolumes(service, surroundings),
      ...judgePorts(service),
    ].map((problem) => `services.${name}: ${problem}`),
  )
  return [...ofEach, ...judgeBuilds(services)]
}

/** With the specification's anchors and `<<` in place: what they hold is judged where it is used. */
export function readServices(text: string): Readonly<Record<string, Service>> {
  return (parse(text, { merge: true }) as { services?: Readonly<Record<string, Service>> }).services ?? {}
}

/** What is made of this repository: the image of the first service that builds. */
export const builtImage = (services: Readonly<Record<string, Service>>): string | undefined =>
  Object.values(services).find(({ build }) => build !== undefined)?.image

/** Each service that builds makes an image of its own: those begun from another one than the last are made anew by the next `up`. */
function judgeBuilds(services: Readonly<Record<string, Service>>): readonly string[] {
  const builders = Object.entries(services).filter(([, { build }]) => build !== undefined)
  if (builders.length === 1) return []
  const names = builders.map(([name]) => name).join(', ') || 'none'
  return [`services: one builds onward, and the others take what it built: not ${names}`]
}

const judgeImage = ({ image = '' }: Service): readonly string[] =>
  /:v?\d+\.\d+\.\d+$/.test(image) ? [] : [`image "${image}" names no version of three numbers`]

/** Ours need nothing of this; the images of others at least no more rights than they begin with. */
function judgeConfinement(service: Service, ours: string | undefined): readonly string[] {
  const problems = service.cap_drop?.includes('ALL') ? [] : ['cap_drop does not name ALL']
  if (service.image !== ours) return problems
  if (service.pull_policy !== 'never')
    problems.push('pull_policy is not never: somebody else’s image may have the name')
  if (service.read_only !== true) problems.push('read_only is not true')
  if (!/^[1-9]\d*:[1-9]\d*$/.test(service.user ?? '')) problems.push('user is not a uid and a gid above 0')
  return problems
}

const judgeProfiles = ({ profiles = [] }: Service): readonly string[] =>
  profiles.length > 0 && profiles.every((profile) => PROFILES.includes(profile))
    ? []
    : [`profiles are not some of ${PROFILES.join(', ')}`]

function judgeDependencies(service: Service, services: Readonly<Record<string, Service>>): readonly string[] {
  return Object.entries(service.depends_on ?? {}).flatMap(([name, { condition }]) => {
    const other = services[name]
    if (!other) return [`depends_on ${name}, which is no service`]
    const missing = (service.profiles ?? []).filter((profile) => !other.profiles?.includes(profile))
    if (missing.length > 0) return [`depends_on ${name}, which is not in profile ${missing.join(', ')}`]
    switch (condition) {
      case 'service_healthy':
        return other.healthcheck?.test === undefined
          ? [`waits for ${name} to be healthy, which has no healthcheck`]
          : []
      case 'service_completed_successfully':
        return other.restart === 'no' ? [] : [`waits for ${name} to end, which starts again: its restart must be 'no'`]
      default:
        return [`depends_on ${name} without a condition that says when it is ready`]
    }
  })
}

function judgeEnvironment(
  { image, environment = {} }: Service,
  ours: string | undefined,
  { settings }: ComposeSurroundings,
): readonly string[] {
  if (image !== ours) return []
  return Object.entries(environment).flatMap(([name, value]) => {
    const setting = name.replace(/_FILE$/, '')
    const isSecret = settings.get(setting)
    if (isSecret === undefined) return OURS.test(name) ? [`${name} is no setting of docs/configuration.md`] : []
    const given = String(value ?? '')
    // The mail catcher takes everybody, and its address has nothing to hide.
    const isHarmless = !isSecret || name !== setting || /^smtp:\/\/[\w.-]+:\d+$/.test(given)
    return isHarmless || /^\$\{\w+:\?[^}]+\}$/.test(given)
      ? []
      : [`${name} bears a secret and has a default: write \${${name}:?why it is needed}`]
  })
}

function judgeVolumes({ volumes = [] }: Service, { exists }: ComposeSurroundings): readonly string[] {
  return volumes.flatMap((volume) => {
    const [source = '', , mode] = volume.split(':')
    if (!source.startsWith('.') && !source.startsWith('/')) return []
    if (!source.startsWith('./') || !exists(source)) return [`mounts ${source}, which is not in the repository`]
    return mode === 'ro' ? [] : [`mounts ${source} for writing`]
  })
}

const judgePorts = ({ ports = [] }: Service): readonly string[] =>
  ports.filter((port) => !port.startsWith('127.0.0.1:')).map((port) => `publishes ${port} beyond this machine`)
