import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Calls functions of the simulation in a process of their own; bigints are `1n` in texts. */
function callAll(calls: readonly (readonly [name: string, input: object])[]): unknown[] {
  const asked = calls.map(([name, input]) => ({ name, input }));
  const text = JSON.stringify(asked, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  const output = execFileSync(process.execPath, [join(__dirname, 'pure-calls.mjs'), text], { encoding: 'utf8' });
  return JSON.parse(output) as unknown[];
}

const call = (name: string, input: object) => callAll([[name, input]])[0];

const OWNER = `0x${'11'.repeat(20)}`;
const CLIENT = `0x${'22'.repeat(20)}`;
const NOBODY = `0x${'00'.repeat(20)}`;
const chainOf = (transaction: number, logIndex: number, block = 1) => ({
  blockNumber: block,
  blockHash: `0xb${block}`,
  transactionHash: `0xa${transaction}`,
  logIndex,
});

/** An agent is registered, and rated with 80. */
const HISTORY = [
  { name: 'Transfer', args: { from: NOBODY, to: OWNER, tokenId: 0n }, log: chainOf(1, 0) },
  { name: 'Registered', args: { agentId: 0n, agentURI: 'a', owner: OWNER }, log: chainOf(1, 1) },
  { name: 'MetadataSet', args: { agentId: 0n }, log: chainOf(1, 2) },
  {
    name: 'NewFeedback',
    args: {
      agentId: 0n,
      clientAddress: CLIENT,
      feedbackIndex: 1n,
      value: 80n,
      valueDecimals: 0,
      indexedTag1: '0x',
      tag1: 'starred',
      tag2: '',
    },
    log: chainOf(2, 3),
  },
];

const registered = {
  id: 'r',
  type: 'agent_registered',
  position: 1,
  data: { agentId: '7:0', name: 'a', owner: OWNER, hasMcp: false, hasA2a: false, chain: chainOf(1, 1) },
};
const rated = {
  id: 'f',
  type: 'reputation_change',
  position: 2,
  data: {
    agentId: '7:0',
    previousScore: 0,
    newScore: 80,
    feedbackCount: 1,
    latestFeedback: { score: 80, tags: ['starred'] },
    chain: chainOf(2, 3),
  },
};
const agent = {
  tokenId: '0',
  owner: OWNER,
  uri: 'a',
  score: 80,
  feedbackCount: 1,
  name: 'a',
  hasMcp: false,
  skills: [],
};
const feedback = {
  source: 'registry',
  clientAddress: CLIENT,
  feedbackIndex: '1',
  value: '80',
  valueDecimals: 0,
  score: 80,
  isRating: true,
  tags: ['starred'],
  revoked: false,
  responses: [],
};
const TRUTH = {
  history: HISTORY,
  chainId: 7,
  onChain: [{ agentId: 0n, owner: OWNER, uri: 'a', feedback: [{ client: CLIENT, feedbackIndex: 1n, revoked: false }] }],
};
const SEEN = { agents: [agent], feedback: { 0: [feedback] }, stream: [registered, rated] };

it('decides the same for the same seed, and something else for another one', () => {
  const [one, again, other] = callAll([3, 3, 4].map((seed) => ['scenario', { seed }] as const));

  expect(again).toEqual(one);
  expect(other).not.toEqual(one);
});

it('has reorganisations of every depth up to beyond finality, and kills, in some seeds', () => {
  const scenarios = callAll(Array.from({ length: 40 }, (_, seed) => ['scenario', { seed }] as const)) as {
    confirmations: number;
    steps: { type: string; depth?: number }[];
  }[];
  const depths = new Set(
    scenarios.flatMap(({ confirmations, steps }) => steps.map(({ depth }) => (depth ?? 0) - confirmations)),
  );

  expect([...depths]).toEqual(expect.arrayContaining([-1, 0, 1, 2]));
  for (const { steps } of scenarios) expect(steps.map(({ type }) => type)).toContain('kill');
});

it('lets no two endpoints of a seed tell the same lie, which would be believed', () => {
  const scenarios = callAll(Array.from({ length: 40 }, (_, at) => ['scenario', { seed: 20 + at }] as const)) as {
    characters: object[];
    steps: { type: string; endpoint?: number; faults?: object }[];
  }[];
  const tellersOf = (lie: string) =>
    scenarios.map(({ characters, steps }) => {
      const atStart = characters.flatMap((faults, endpoint) => (lie in faults ? [endpoint] : []));
      const later = steps.flatMap(({ faults = {}, endpoint }) => (lie in faults ? [endpoint] : []));
      return new Set([...atStart, ...later]).size;
    });

  for (const lie of ['omitLogShare', 'alterLogShare']) expect(new Set(tellersOf(lie))).toEqual(new Set([0, 1]));
});

it('scores feedback by whole numbers', () => {
  const values = [
    ['87n', 0, 87],
    ['1234n', 2, 12],
    ['125n', 1, 13],
    ['-5n', 0, 0],
    ['250n', 0, 100],
  ] as const;

  expect(callAll(values.map(([value, decimals]) => ['score', { value, decimals }]))).toEqual(
    values.map(([, , score]) => score),
  );
});

describe('the comparison', () => {
  it('finds no fault where there is none', () => {
    expect(call('compare', { ...TRUTH, ...SEEN })).toEqual([]);
  });

  it.each([
    ['an event that is missing', { stream: [registered] }, /missing: reputation_change/],
    ['an event that is there twice', { stream: [registered, rated, { ...rated, id: 'g', position: 3 }] }, /twice/],
    [
      'an event of no log',
      {
        stream: [
          registered,
          rated,
          { ...registered, id: 'x', position: 3, data: { ...registered.data, chain: chainOf(9, 9) } },
        ],
      },
      /of no log/,
    ],
    ['events out of order', { stream: [rated, registered] }, /out of/],
    [
      'an event that says something else',
      { stream: [registered, { ...rated, data: { ...rated.data, newScore: 79 } }] },
      /newScore is 79 instead of 80/,
    ],
    ['an agent that is missing', { agents: [] }, /agent 0 is missing/],
    ['an agent of another owner', { agents: [{ ...agent, owner: CLIENT }] }, /owner/],
    ['an agent that is not on the chain', { agents: [agent, { ...agent, tokenId: '1' }] }, /there is no agent 1/],
    ['feedback that is missing', { feedback: {} }, /feedback is missing/],
    ['feedback that is revoked by nobody', { feedback: { 0: [{ ...feedback, revoked: true }] } }, /not on the chain/],
  ])('finds %s', (_what, seen, fault) => {
    expect(call('compare', { ...TRUTH, ...SEEN, ...seen })).toEqual(
      expect.arrayContaining([expect.stringMatching(fault)]),
    );
  });
});

describe('what is left of a stream', () => {
  const reverted = {
    id: 'v',
    type: 'agent_registration_reverted',
    data: { agentId: '7:0', revertedEventId: 'r', chain: chainOf(1, 1) },
  };
  const back = {
    id: 'b',
    type: 'reputation_change',
    data: { agentId: '7:0', previousScore: 80, newScore: 0, feedbackCount: 0, chain: chainOf(2, 3) },
  };
  const feedbackBack = {
    id: 'c',
    type: 'feedback_reverted',
    data: { agentId: '7:0', revertedEventId: 'f', chain: chainOf(2, 3) },
  };

  it('has nothing of what was taken back', () => {
    expect(call('net', { stream: [registered, rated, feedbackBack, back, reverted] })).toEqual({ net: [], faults: [] });
  });

  it('has what came again after it was taken back', () => {
    const again = { ...registered, id: 'again', position: undefined };
    const { net, faults } = call('net', { stream: [registered, reverted, again] }) as {
      net: string[];
      faults: string[];
    };

    expect([net.length, faults]).toEqual([1, []]);
  });

  it('tells what is taken back twice, or was never there', () => {
    const { faults } = call('net', {
      stream: [reverted, registered, { ...reverted, id: 'w' }, { ...reverted, id: 'y' }],
    }) as {
      faults: string[];
    };

    expect(faults).toEqual([expect.stringContaining('not there before'), expect.stringContaining('twice')]);
  });
});
