import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { shareNumbers, type Claim, type Member, type Share } from '../../../services/shared/kafka/share-numbers.ts'
import { holdsFor } from '../../support/property.ts'

const TOPICS = ['forms', 'cases', 'apps', 'onward.retry.1m']
type Counts = Readonly<Record<string, number>>

const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 })
const counts: fc.Arbitrary<Counts> = fc.record(
  Object.fromEntries(TOPICS.map((topic) => [topic, fc.integer({ min: 0, max: 40 })])),
)
/** Whatever members may say that work on nothing now: numbers that are not there, twice, of others, of long ago. */
const claim = fc.option(
  fc.record({
    generation: fc.nat(5),
    numbers: fc.array(fc.nat(50), { maxLength: 60 }),
    works: fc.constant(false),
    leaves: fc.constant(false),
  }),
  { nil: null },
)
/** As they join again after they have worked on these, and ended it. */
const had = (generation: number, numbers: readonly number[]): Claim => ({
  generation,
  numbers,
  works: false,
  leaves: false,
})
const alike = (members: readonly string[], topics: readonly string[] = TOPICS): readonly Member[] =>
  members.map((id) => ({ id, topics, claim: null }))
const group = fc
  .record({ ids, counts, claims: fc.array(claim, { minLength: 8, maxLength: 8 }) })
  .map(({ ids: members, counts: topics, claims }) => ({
    members: members.map((id, index): Member => ({ id, topics: TOPICS, claim: claims[index] ?? null })),
    counts: topics,
  }))
const mixed = fc.record({
  counts,
  members: fc.uniqueArray(
    fc.record({ id: fc.string({ minLength: 1, maxLength: 4 }), topics: fc.subarray(TOPICS), claim }),
    {
      selector: ({ id }) => id,
      minLength: 1,
      maxLength: 8,
    },
  ),
})

const mapOf = (topics: Counts) => new Map(Object.entries(topics))
const numbersOf = (share: Share = {}) => [...new Set(Object.values(share).flat())].sort((a, b) => a - b)
const largest = (topics: Counts) => Math.max(0, ...Object.values(topics))

/** @returns the owner of each number @throws AssertionError when a number has two */
function owners(shares: ReadonlyMap<string, Share>): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  for (const [id, share] of shares) {
    for (const number of numbersOf(share)) {
      assert.equal(found.get(number), undefined, `number ${number} has two owners`)
      found.set(number, id)
    }
  }
  return found
}

/** Joins again, with what was given. */
const again = (members: readonly Member[], shares: ReadonlyMap<string, Share>, generation: number): readonly Member[] =>
  members.map((member) => ({ ...member, claim: had(generation, numbersOf(shares.get(member.id))) }))

const moved = (before: ReadonlyMap<number, string>, after: ReadonlyMap<number, string>) =>
  [...after].filter(([number, owner]) => before.get(number) !== owner)

test('every partition has one owner, a number the same in every topic, whatever members claim', (t) => {
  holdsFor(
    t,
    fc.property(group, ({ members, counts: topics }) => {
      const shares = shareNumbers(members, mapOf(topics))
      const ownerOf = owners(shares)
      assert.equal(ownerOf.size, largest(topics))
      for (const [id, share] of shares) {
        assert.deepEqual(Object.keys(share).sort(), TOPICS.toSorted())
        for (const [topic, count] of Object.entries(topics)) {
          const expected = [...ownerOf].filter(([number, owner]) => owner === id && number < count)
          assert.deepEqual(
            share[topic],
            expected.map(([number]) => number).sort((a, b) => a - b),
            `${topic} of ${id}`,
          )
        }
      }
    }),
  )
})

test('no member has two numbers more than another, whatever members claim', (t) => {
  holdsFor(
    t,
    fc.property(group, ({ members, counts: topics }) => {
      const sizes = [...shareNumbers(members, mapOf(topics)).values()].map((share) => numbersOf(share).length)
      assert(Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join())
    }),
  )
})

test('the shares do not depend on who leads: neither on the order of the members nor on that of the topics', (t) => {
  holdsFor(
    t,
    fc.property(mixed, fc.nat(), ({ members, counts: topics }, turn) => {
      const turned = [...members.slice(turn % members.length), ...members.slice(0, turn % members.length)]
      const one = shareNumbers(members, mapOf(topics))
      const other = shareNumbers(turned, new Map([...mapOf(topics)].reverse()))
      for (const { id } of members) assert.deepEqual(one.get(id), other.get(id))
    }),
  )
})

test('members that join again unchanged keep all they have', (t) => {
  holdsFor(
    t,
    fc.property(mixed, ({ members, counts: topics }) => {
      const shares = shareNumbers(members, mapOf(topics))
      assert.deepEqual(shareNumbers(again(members, shares, 6), mapOf(topics)), shares)
    }),
  )
})

test('an even share stays as it is, whoever has the odd numbers', (t) => {
  holdsFor(
    t,
    fc.property(ids, fc.nat(40), fc.nat(), (members, count, odd) => {
      const claimed = members.map((id, nth): Member => {
        const numbers = Array.from({ length: count }, (_, number) => number)
        const own = numbers.filter((number) => (number + odd) % members.length === nth)
        return { id, topics: ['cases'], claim: had(1, own) }
      })
      const shares = shareNumbers(claimed, new Map([['cases', count]]))
      for (const { id, claim: claims } of claimed) assert.deepEqual(shares.get(id), { cases: claims?.numbers })
    }),
  )
})

test('a member that joins moves its fair share of the numbers at most, all of them to itself', (t) => {
  holdsFor(
    t,
    fc.property(group, fc.string({ minLength: 7, maxLength: 9 }), ({ members, counts: topics }, id) => {
      const before = shareNumbers(members, mapOf(topics))
      const joined = [...again(members, before, 6), { id, topics: TOPICS, claim: null }]
      const moves = moved(owners(before), owners(shareNumbers(joined, mapOf(topics))))
      assert(moves.length <= Math.ceil(largest(topics) / joined.length), `${moves.length} moved`)
      assert(moves.every(([, owner]) => owner === id))
    }),
  )
})

test('a member that leaves moves its own numbers and no other', (t) => {
  holdsFor(
    t,
    fc.property(group, fc.nat(), ({ members, counts: topics }, nth) => {
      fc.pre(members.length > 1)
      const before = shareNumbers(members, mapOf(topics))
      const leaver = members[nth % members.length]?.id ?? ''
      const left = again(members, before, 6).filter(({ id }) => id !== leaver)
      const moves = moved(owners(before), owners(shareNumbers(left, mapOf(topics))))
      assert.deepEqual(
        moves.map(([number]) => number).sort((a, b) => a - b),
        numbersOf(before.get(leaver)),
      )
    }),
  )
})

test('topics that get partitions move nothing beyond what evens the shares', (t) => {
  holdsFor(
    t,
    fc.property(group, fc.integer({ min: 1, max: 20 }), ({ members, counts: topics }, more) => {
      const before = shareNumbers(members, mapOf(topics))
      const grown = { ...topics, cases: largest(topics) + more }
      const after = owners(shareNumbers(again(members, before, 6), mapOf(grown)))
      const moves = moved(owners(before), after).filter(([number]) => number < largest(topics))
      assert.deepEqual(moves, [])
    }),
  )
})

test('through any life of a group the numbers stay shared, even with members that missed generations', (t) => {
  const event = fc.record({
    join: fc.boolean(),
    who: fc.nat(9),
    rejoins: fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
  })
  holdsFor(
    t,
    fc.property(counts, fc.array(event, { maxLength: 30 }), (topics, events) => {
      let members: readonly Member[] = alike(['m0'])
      let shares = shareNumbers(members, mapOf(topics))
      for (const [index, { join, who, rejoins }] of events.entries()) {
        const id = `m${who}`
        // Some still say what they had long ago.
        members = again(members, shares, index + 1).map((member, nth) =>
          rejoins[nth] === true ? member : (members[nth] ?? member),
        )
        if (join && !members.some((member) => member.id === id)) members = [...members, ...alike([id])]
        else if (!join && members.length > 1) members = members.filter((member) => member.id !== id)
        shares = shareNumbers(members, mapOf(topics))
        assert.equal(owners(shares).size, largest(topics))
        const sizes = members.map((member) => numbersOf(shares.get(member.id)).length)
        assert(Math.max(...sizes) - Math.min(...sizes) <= 1)
      }
    }),
  )
})

test('members with different subscriptions: nothing unsubscribed is given, no number is split, and who reads all of it owns it', (t) => {
  holdsFor(
    t,
    fc.property(mixed, ({ members, counts: topics }) => {
      const shares = shareNumbers(members, mapOf(topics))
      const ownerOf = owners(shares)
      for (const { id, topics: subscribed } of members) {
        assert.deepEqual(new Set(Object.keys(shares.get(id) ?? {})), new Set(subscribed))
      }
      for (let number = 0; number < largest(topics); number++) {
        const there = TOPICS.filter((topic) => number < (topics[topic] ?? 0))
        const covers = ({ topics: subscribed }: Member) => there.filter((topic) => subscribed.includes(topic)).length
        const most = Math.max(...members.map(covers))
        const owner = members.find(({ id }) => id === ownerOf.get(number))
        assert.equal(owner ? covers(owner) : 0, most, `number ${number}`)
      }
    }),
  )
})

test('while a new topic is rolled out, its numbers are with those that read it, and the others keep the rest', () => {
  const old: readonly Member[] = [
    { id: 'a', topics: ['cases'], claim: had(3, [0, 1, 2, 3]) },
    { id: 'b', topics: ['cases'], claim: had(3, [4, 5, 6, 7]) },
  ]
  const rolled: Member = { id: 'c', topics: ['cases', 'apps'], claim: null }
  const shares = shareNumbers([...old, rolled], new Map(Object.entries({ cases: 8, apps: 2 })))
  assert.deepEqual(Object.fromEntries(shares), {
    a: { cases: [2, 3, 7] },
    b: { cases: [4, 5, 6] },
    c: { cases: [0, 1], apps: [0, 1] },
  })
})

test('a number that two members claim belongs to the one that had it later', () => {
  const members = (first: number, second: number): readonly Member[] => [
    { id: 'a', topics: ['cases'], claim: had(first, [0, 1]) },
    { id: 'b', topics: ['cases'], claim: had(second, [1, 2]) },
    { id: 'c', topics: ['cases'], claim: had(2, [3, 4]) },
  ]
  const counts = new Map([['cases', 6]])
  assert.equal(owners(shareNumbers(members(4, 5), counts)).get(1), 'b')
  assert.equal(owners(shareNumbers(members(5, 4), counts)).get(1), 'a')
  assert.equal(owners(shareNumbers(members(5, 5), counts)).get(1), 'a')
})

test('a member without a number still has its part in the answer, and one that subscribes nothing an empty one', () => {
  const members = [...alike(['a', 'b'], ['cases']), ...alike(['c'], [])]
  assert.deepEqual(
    [...shareNumbers(members, new Map([['cases', 1]]))],
    [
      ['a', { cases: [0] }],
      ['b', { cases: [] }],
      ['c', {}],
    ],
  )
})

/** What each works on and says so; joins again until nobody has anything to give up, as members do. */
function settle(members: readonly Member[], topics: Counts) {
  let working = members
  for (let round = 1; ; round++) {
    assert(round < 10, 'it does not come to rest')
    const shares = shareNumbers(working, mapOf(topics))
    const ownerOf = owners(shares)
    for (const { id, claim: claims } of working) {
      for (const number of claims?.works ? claims.numbers : [])
        assert([undefined, id].includes(ownerOf.get(number)), `${number} was given to another before ${id} had ended`)
    }
    const next = working.map((member): Member => {
      const given = numbersOf(shares.get(member.id))
      return { ...member, claim: { generation: round, numbers: given, works: given.length > 0, leaves: false } }
    })
    // Whoever has to end something joins once more, and all with it.
    const isDone = working.every(({ claim: claims }, nth) => {
      const kept = next[nth]?.claim?.numbers ?? []
      return !claims?.works || claims.numbers.every((number) => kept.includes(number))
    })
    working = next
    if (isDone) return { shares, round }
  }
}

test('a number that is worked on goes to nobody else before its owner has ended, and then all are as even as ever', (t) => {
  holdsFor(
    t,
    fc.property(ids, counts, fc.array(fc.nat(7), { minLength: 50, maxLength: 50 }), (members, topics, places) => {
      const working = members.map((id, nth): Member => {
        const numbers = Array.from({ length: largest(topics) }, (_, number) => number)
        const own = numbers.filter((number) => (places[number] ?? 0) === nth)
        return { id, topics: TOPICS, claim: { generation: 1, numbers: own, works: own.length > 0, leaves: false } }
      })
      const { shares, round } = settle(working, topics)
      assert(round <= 2, `${round} rounds`)
      assert.equal(owners(shares).size, largest(topics))
      const sizes = [...shares.values()].map((share) => numbersOf(share).length)
      assert(Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join())
    }),
  )
})

test('who is about to leave keeps what it works on and gets nothing more; the others share the rest', () => {
  const works = (numbers: readonly number[], leaves = false): Claim => ({ generation: 1, numbers, works: true, leaves })
  const members: readonly Member[] = [
    { id: 'a', topics: ['cases'], claim: works([0, 1, 2, 3], true) },
    { id: 'b', topics: ['cases'], claim: works([4, 5]) },
    { id: 'c', topics: ['cases'], claim: null },
    { id: 'd', topics: ['cases'], claim: { ...had(1, [6]), leaves: true } },
  ]
  const shares = shareNumbers(members, new Map([['cases', 8]]))
  assert.deepEqual(shares.get('a'), { cases: [0, 1, 2, 3] })
  assert.deepEqual(shares.get('d'), { cases: [] })
  const rest = [...numbersOf(shares.get('b')), ...numbersOf(shares.get('c'))].sort()
  assert.deepEqual(rest, [4, 5, 6, 7])
})
