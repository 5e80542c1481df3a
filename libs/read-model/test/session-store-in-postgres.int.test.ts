import { commitOf, committed, eventOf, receiptOf, sessionOf, startOf } from '@sluice/agent-sessions/conformance';
import { until } from '@sluice/event-log/conformance';
import { randomBytes } from 'node:crypto';
import { statementsOf } from './explain';
import { EMPTY_SESSIONS, shareReplicas } from './shared-replicas';

const LEASE_MS = 600_000;

const replicas = shareReplicas();
const open = () => replicas.open().sessionStore;

afterEach(() => replicas.query(EMPTY_SESSIONS));

const claim = (holder: string) => open().claimDispatches({ holder, leaseMs: LEASE_MS, limit: 10 });

it('decides about claims by the clock of the database', async () => {
  await committed(open(), { dispatches: [startOf()] });
  const [claimed] = await claim('one');
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 10 * LEASE_MS);
  try {
    expect(await claim('other')).toEqual([]);
  } finally {
    clock.mockRestore();
  }
  await replicas.query('UPDATE agent_sessions.dispatches SET ready_at = clock_timestamp()');
  expect(await claim('other')).toMatchObject([{ dispatchId: claimed?.dispatchId, attempt: 2 }]);
});

it('commits in one round trip, whatever is in the commit', async () => {
  const commit = commitOf({
    events: Array.from({ length: 100 }, (_, n) => eventOf(n)),
    eventIds: Array.from({ length: 100 }, (_, n) => ({ id: `sevt_${n}`, type: 'user.message' })),
    dispatches: [startOf(), startOf(2)],
    receipt: receiptOf(),
  });
  const sent = await statementsOf('', () => open().commit(commit));
  expect(sent).toHaveLength(1);
  expect(await open().outbox(commit.sessionId, 1000)).toHaveLength(100);
});

it('writes a long snapshot of the agent anew only when it changes (G9)', async () => {
  const agentWith = (text: string) => ({ ...sessionOf().agent, system: text });
  const toastedBytes = async () => {
    const [row] = await replicas.query(`SELECT pg_relation_size(reltoastrelid)::int AS bytes FROM pg_class
      WHERE oid = 'agent_sessions.sessions'::regclass`);
    return (row as { bytes: number }).bytes;
  };
  const text = randomBytes(60_000).toString('base64');
  await committed(open(), { state: sessionOf({ agent: agentWith(text) }) });
  const before = await toastedBytes();
  expect(before).toBeGreaterThan(50_000);
  for (let version = 1; version <= 20; version++) {
    const state = sessionOf({ agent: agentWith(text), title: `${version}` });
    await committed(open(), { state, expectedVersion: version });
  }
  expect(await toastedBytes()).toBe(before);
  await committed(open(), { state: sessionOf({ agent: agentWith(`${text}!`) }), expectedVersion: 21 });
  expect(await toastedBytes()).toBeGreaterThan(before);
  const loaded = await open().load(sessionOf().workspaceId, sessionOf().id);
  expect(loaded?.state.agent.system).toBe(`${text}!`);
});

it('leaves no dispatch behind while commits and ends of dispatches race', async () => {
  const commits = 40;
  const [committing, telling] = [open(), open()];
  const told: string[] = [];
  const commitAll = async () => {
    for (let n = 0; n < commits; n++) {
      await committed(committing, { expectedVersion: n, dispatches: [startOf(2 * n), startOf(2 * n + 1)] });
    }
  };
  const done = commitAll();
  await until(async () => {
    for (const claimed of await telling.claimDispatches({
      holder: 'one',
      leaseMs: LEASE_MS,
      limit: 5,
    })) {
      told.push(claimed.dispatch.runId ?? '');
      await telling.finishDispatch(claimed);
    }
    return told.length === 2 * commits;
  }, 'every dispatch to be told');
  await done;
  expect(told).toEqual(Array.from({ length: 2 * commits }, (_, n) => `srun_${n}`));
});

it('says that it cannot be reached as an error that may be tried again', async () => {
  await replicas.query('ALTER TABLE agent_sessions.sessions RENAME TO hidden');
  try {
    await expect(open().load(7, 'sesn_1')).rejects.toMatchObject({ code: 'read_model_unavailable', retryable: true });
    await expect(open().commit(commitOf())).rejects.toMatchObject({ code: 'read_model_unavailable' });
  } finally {
    await replicas.query('ALTER TABLE agent_sessions.hidden RENAME TO sessions');
  }
});
