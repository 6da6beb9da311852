// A Dockerfile → the steps of its stages, as build-tree.ts does them. Pure; the parsing is dockerfile-ast's.
// Enter: the file's text. Leave: its stages, in order. Never: an instruction that is passed over: an unknown one is an error.
import type { JSONInstruction, ModifiableInstruction } from 'dockerfile-ast'
import {
  Cmd,
  Copy,
  DockerfileParser,
  Entrypoint,
  Env,
  From,
  Healthcheck,
  Label,
  Run,
  type Instruction,
  type Property,
} from 'dockerfile-ast'

/** Words of a program and its arguments, as in `CMD ["node", "main.ts"]`. */
export type Words = readonly string[]
type Named = { readonly name: string; readonly value: string }

export type Step =
  | { readonly kind: 'workdir'; readonly path: string }
  /** From the build context, or from an earlier stage. */
  | { readonly kind: 'copy'; readonly from: string | null; readonly sources: Words; readonly target: string }
  /** For `sh -c`, with the stage's working folder. */
  | { readonly kind: 'run'; readonly command: string }
  | ({ readonly kind: 'env' } & Named)
  | ({ readonly kind: 'label' } & Named)
  | { readonly kind: 'user'; readonly user: string }
  | { readonly kind: 'healthcheck'; readonly words: Words }
  | { readonly kind: 'entrypoint'; readonly words: Words }
  | { readonly kind: 'cmd'; readonly words: Words }
  | { readonly kind: 'expose'; readonly ports: Words }
  | { readonly kind: 'stopsignal'; readonly signal: string }

export type Stage = {
  readonly name: string | null
  /** An image, or an earlier stage's name. */
  readonly base: string
  readonly steps: readonly Step[]
}

export class DockerfileError extends Error {
  override readonly name = 'DockerfileError'
  readonly code = 'DOCKERFILE_NOT_UNDERSTOOD'
}

/** @throws DockerfileError with the line of what it does not know */
export function readDockerfile(text: string): readonly Stage[] {
  const stages: { name: string | null; base: string; steps: Step[] }[] = []
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    if (instruction instanceof From) {
      stages.push({ name: instruction.getBuildStage(), base: instruction.getImage() ?? '', steps: [] })
      continue
    }
    // An ARG's default is what Docker itself takes when nobody sets it, and the labels alone use one.
    if (instruction.getKeyword() === 'ARG') continue
    const stage = stages.at(-1)
    if (!stage) throw misunderstood(instruction, 'stands before the first FROM')
    stage.steps.push(...readSteps(instruction))
  }
  if (stages.length === 0) throw new DockerfileError('the Dockerfile has no FROM')
  return stages
}

function readSteps(instruction: Instruction): readonly Step[] {
  const all = instruction.getArguments().map((argument) => argument.getValue())
  if (instruction instanceof Env) return instruction.getProperties().map((each) => ({ kind: 'env', ...named(each) }))
  if (instruction instanceof Label)
    return instruction.getProperties().map((each) => ({ kind: 'label', ...named(each) }))
  if (instruction instanceof Copy) {
    if (isWordList(instruction)) throw misunderstood(instruction, 'is written as a list, which this does not read')
    refuseFlags(instruction, ['from'])
    const [target = '', ...sources] = all.toReversed()
    return [
      { kind: 'copy', from: instruction.getFromFlag()?.getValue() ?? null, sources: sources.toReversed(), target },
    ]
  }
  if (instruction instanceof Run) {
    refuseFlags(instruction, [])
    if (isWordList(instruction)) throw misunderstood(instruction, 'is written as a list, which this does not read')
    return [{ kind: 'run', command: commandOf(instruction) }]
  }
  if (instruction instanceof Cmd)
    return [{ kind: 'cmd', words: wordsOf(instruction, instruction.getArgumentsContent()) }]
  if (instruction instanceof Entrypoint)
    return [{ kind: 'entrypoint', words: wordsOf(instruction, instruction.getArgumentsContent()) }]
  if (instruction instanceof Healthcheck) {
    const [, words] = /\bCMD\s+(\[.*\])\s*$/s.exec(instruction.getArgumentsContent() ?? '') ?? []
    return [{ kind: 'healthcheck', words: wordsOf(instruction, words ?? null) }]
  }
  const [only = ''] = all
  switch (instruction.getKeyword()) {
    case 'WORKDIR':
      return [{ kind: 'workdir', path: only }]
    case 'USER':
      return [{ kind: 'user', user: only }]
    case 'EXPOSE':
      return [{ kind: 'expose', ports: all }]
    case 'STOPSIGNAL':
      return [{ kind: 'stopsignal', signal: only }]
    default:
      throw misunderstood(instruction, 'is not an instruction that this does')
  }
}

const named = (property: Property): Named => ({
  name: property.getName(),
  value: property.getValue() ?? '',
})

const isWordList = (instruction: JSONInstruction): boolean => instruction.getOpeningBracket() !== null

/** The list form only: the other one puts a shell in front of Node, which takes the signals and passes none on. */
function wordsOf(instruction: Instruction, text: string | null): Words {
  try {
    const words: unknown = JSON.parse(text ?? '')
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words
  } catch {
    // Said below, with the line.
  }
  throw misunderstood(instruction, 'must be a list of words: ["node", "main.ts"]')
}

/** For the shell: lines that the file continues are joined, and comments between them left out, as Docker does. */
const commandOf = (run: Run): string =>
  (run.getRawArgumentsContent() ?? '')
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\s*\n/g, '')
    .trim()

function refuseFlags(instruction: ModifiableInstruction, known: readonly string[]): void {
  for (const flag of instruction.getFlags()) {
    if (!known.includes(flag.getName()))
      throw misunderstood(instruction, `has --${flag.getName()}, which this does not do`)
  }
}

const misunderstood = (instruction: Instruction, why: string): DockerfileError =>
  new DockerfileError(`line ${instruction.getRange().start.line + 1}: ${instruction.getKeyword()} ${why}`)
