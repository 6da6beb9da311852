// Which connections are in trouble, and how. Pure. Enter: a measurement's rules. Leave: what the receiver does at which paths.
import { projectOf } from './generate-changes.ts'
import { CONNECTIONS, type Rules } from './measurements.ts'

/** How the receiver answers from now on, by path; paths not named are answered as they should be. */
export type Errand = { readonly hang: readonly string[]; readonly refuse: readonly string[] }

const PATHS = Array.from({ length: CONNECTIONS }, (_, number) => `/${projectOf(number, CONNECTIONS)}`)
const every = (step: number, first: number): string[] => PATHS.filter((_, place) => place % step === first)

/** 5 of 100 each. */
const HANGING = every(20, 7)
const REFUSING = every(20, 3)
const WITHOUT_ANYBODY = every(20, 13)

export function errandOf(trouble: Rules['trouble']): Errand {
  switch (trouble) {
    case 'none':
      return { hang: [], refuse: [] }
    case 'hang':
      return { hang: HANGING, refuse: [] }
    case 'refuse':
      return { hang: [], refuse: REFUSING }
    case 'refuse-all':
      return { hang: [], refuse: PATHS }
  }
}

/** @param name of the project: its connection leads to where nobody listens */
export const hasNobody = (trouble: Rules['trouble'], name: string): boolean =>
  trouble === 'refuse' && WITHOUT_ANYBODY.includes(`/${name}`)
