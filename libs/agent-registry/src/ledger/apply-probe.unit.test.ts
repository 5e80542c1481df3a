import { block, dataUri, registration } from '../../test/samples';
import { HOUR_MS, NOW_MS, POLICY, WatchedChain } from '../../test/watched-chain';
import { applyProbe, probeKeys } from '..';

const MCP = { name: 'MCP', endpoint: 'https://ada.example.org/mcp' };
const TARGET = { tokenId: '1', mcpEndpoint: MCP.endpoint };

async function probed(found: object, policy: Partial<typeof POLICY>) {
  const chain = new WatchedChain();
  await chain.apply([block(1, [registration('1', dataUri({ services: [MCP] }))])]);
  await chain.probe('1', { mcp: { reachable: true } });
  const documents = await chain.store.read((await chain.store.statuses())[0]?.chainId ?? 0, probeKeys('1'));
  const before = documents.get('reach/1');
  const context = { chainId: 1, nowMs: NOW_MS, classifierAvailable: false, fileReReadIntervalMs: HOUR_MS };
  const outcome = applyProbe(
    documents,
    '1',
    { target: TARGET, probedAt: NOW_MS + 7, ...found },
    { ...context, ...POLICY, ...policy },
  );
  const { value, dueAt = 0 } = outcome.changes.find(({ key }) => key === 'reach/1') ?? {};
  return { before: before?.value, value, drafts: outcome.drafts, afterMs: dueAt - NOW_MS };
}

it.each([
  [HOUR_MS, 0, 15_000],
  [HOUR_MS, 1, 30_000],
  [HOUR_MS, 9, 30_000],
  [1_000, 0.5, 750],
])(
  'makes a probe that learned nothing soon again: interval %d ms, jitter %d: after %d ms',
  async (intervalMs, jitter, afterMs) => {
    const unlearned = await probed({}, { intervalMs, jitter });
    expect(unlearned).toEqual({ before: unlearned.before, value: unlearned.before, drafts: [], afterMs });
  },
);

it('waits a whole interval where something was learned', async () => {
  const { afterMs } = await probed({ mcp: { reachable: false } }, { intervalMs: HOUR_MS, jitter: 1 });
  expect(afterMs).toBe(Math.round(1.1 * HOUR_MS));
});
