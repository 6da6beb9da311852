// As mutations.ts: what becomes of versions when a source topic is deleted and made anew (ADR 0013).
import type { Mutation } from './rules.ts'

export const OF_VERSIONS: readonly Mutation[] = [
  {
    rule: 8,
    title: 'what was committed for a topic that is no more counts for the one that has its name',
    edits: [
      {
        file: 'shared/kafka/start-position.ts',
        from: '(committedBase !== null && committedBase < wanted)',
        to: '(committedBase !== null && committedBase < 0)',
      },
    ],
    caughtBy: { kind: 'simulator', promises: ['nothing-lost', 'all-ends', 'no-fault'] },
  },
  {
    rule: 5,
    title: 'versions begin again with a topic that is made anew',
    edits: [
      {
        file: 'shared/kafka/version-base.ts',
        from: 'number => base + offset',
        to: 'number => offset + Math.min(0, base)',
      },
    ],
    caughtBy: {
      kind: 'simulator',
      promises: ['in-order', 'newest-last', 'all-ends', 'nothing-lost', 'ends-once', 'copies-known', 'no-fault'],
    },
  },
  {
    rule: 9,
    title: 'a copy of a topic that is no more waits until its offset is reserved in the one that has its name',
    edits: [{ file: 'forwarder/lanes.ts', from: 'record.base < source.base || ', to: '' }],
    caughtBy: {
      kind: 'test',
      file: 'test/forwarder/lanes.test.ts',
      title: 'what is of a topic that is no more waits for no reservation in the one that has its name',
      complaint: /false !== true/,
    },
  },
]
