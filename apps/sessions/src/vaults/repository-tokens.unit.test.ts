import { MemorySessionDocuments, MemorySessionStore } from '@sluice/agent-sessions';
import { committed, sessionOf } from '@sluice/agent-sessions/conformance';
import { SecretBox } from '@sluice/secret-box';
import { RepositoryTokens } from './repository-tokens';

const HOUR_MS = 3_600_000;
const WORKSPACE = 7;

async function setUp() {
  const clock = { nowMs: 1_000_000, now: () => clock.nowMs };
  const [documents, store] = [new MemorySessionDocuments(), new MemorySessionStore()];
  const box = new SecretBox([Buffer.alloc(32, 7)]);
  const tokens = new RepositoryTokens(documents, clock, box);
  const resources = [{ id: 'sesrsc_1', type: 'github_repository', url: 'https://example.com/a' }];
  await committed(store, { state: sessionOf({ resources }) });
  const sweep = () => tokens.sweep(async (...of) => (await store.load(...of))?.state, new AbortController().signal);
  const later = async () => {
    clock.nowMs += HOUR_MS;
    await sweep();
  };
  const kept = async () => [...(await tokens.open(WORKSPACE, sessionOf().id)).keys()].sort();
  return { tokens, store, sweep, later, kept };
}

it('keeps the tokens of resources that sessions have, and removes the others once no command can bring them', async () => {
  const { tokens, sweep, later, kept } = await setUp();
  await tokens.keep(WORKSPACE, sessionOf().id, 'sesrsc_1', 'a');
  await tokens.keep(WORKSPACE, sessionOf().id, 'sesrsc_left', 'b');
  await sweep();
  expect(await kept()).toEqual(['sesrsc_1', 'sesrsc_left']);
  await later();
  expect(await kept()).toEqual(['sesrsc_1']);
  await later();
  expect(await kept()).toEqual(['sesrsc_1']);
});

it('removes the tokens of a session whose deletion a crash cut short, and keeps them where it was refused', async () => {
  const { tokens, store, later, kept } = await setUp();
  await tokens.keep(WORKSPACE, sessionOf().id, 'sesrsc_1', 'a');
  await later();
  await tokens.doubt(WORKSPACE, sessionOf().id);
  await later();
  expect(await kept()).toEqual(['sesrsc_1']);
  await tokens.doubt(WORKSPACE, sessionOf().id);
  await committed(store, { state: undefined, sessionId: sessionOf().id, expectedVersion: 1 });
  await later();
  expect(await kept()).toEqual([]);
});
