import { commitOf, sessionOf } from '@sluice/agent-sessions/conformance';
import { removeOldest } from '@sluice/event-log/conformance';
import {
  describeAgentDirectory,
  describeSessionEvents,
  describeWorkspaceDocuments,
  workspaceEnvelope,
} from '@sluice/projections/conformance';
import { openMemoryEngine } from './memory-engine';

describeWorkspaceDocuments('memory engine', async () => {
  const engine = openMemoryEngine();
  const model = await engine.readModel();
  return {
    documents: await engine.workspaceDocuments(),
    record: async (envelopes) => void (await model.record({ envelopes, parked: [], checkpoints: new Map() })),
    destroy: () => engine.close(),
  };
});

describeAgentDirectory('memory engine', async () => {
  const engine = openMemoryEngine();
  const model = await engine.readModel();
  return {
    agents: await engine.agentDirectory(),
    record: async (envelopes) => void (await model.record({ envelopes, parked: [], checkpoints: new Map() })),
    destroy: () => engine.close(),
  };
});

describeSessionEvents('memory engine', async () => {
  const engine = openMemoryEngine();
  const model = await engine.readModel();
  return {
    events: await engine.sessionEvents(),
    record: async (envelopes) => void (await model.record({ envelopes, parked: [], checkpoints: new Map() })),
    removeAll: async () => removeOldest(await engine.eventRetention(), Infinity, { family: 'session' }),
    destroy: () => engine.close(),
  };
});

it('gives every caller the same session store and the same documents of sessions', async () => {
  const engine = openMemoryEngine();
  await (await engine.sessionStore()).commit(commitOf());
  expect(await (await engine.sessionStore()).workspaceOf(sessionOf().id)).toBe(sessionOf().workspaceId);
  expect(await engine.sessionDocuments()).toBe(await engine.sessionDocuments());
  await engine.close();
});

it('gives every caller the same chain store', async () => {
  const engine = openMemoryEngine();
  const [one, other] = [await engine.chainStore(), await engine.chainStore()];
  expect(await one.acquire(1, 'one', 60_000)).toMatchObject({ chainId: 1, holder: 'one' });
  expect(await other.acquire(1, 'other', 60_000)).toBeUndefined();
  await engine.close();
});

it('keeps what events did that retention removed, also where nobody asked before', async () => {
  const engine = openMemoryEngine();
  const model = await engine.readModel();
  const data = { task_id: 'kept', title: 't', description: '', status: 'todo', agent_id: null } as const;
  await model.record({ envelopes: [workspaceEnvelope('task_created', data)], parked: [], checkpoints: new Map() });
  await removeOldest(await engine.eventRetention(), Infinity, { family: 'workspace' });
  expect(await (await engine.workspaceDocuments()).find(1, 'task', 'kept')).toMatchObject({ id: 'kept' });
  await engine.close();
});

it('shows the documents of an event as soon as the event is heard of, to any number of readers (G3)', async () => {
  const engine = openMemoryEngine();
  const [model, documents] = [await engine.readModel(), await engine.workspaceDocuments()];
  const found: unknown[] = [];
  const looks: Promise<unknown>[] = [];
  await model.onRecorded(() => {
    for (let reader = 0; reader < 3; reader++) {
      looks.push(documents.find(1, 'task', 't').then((document) => found.push(document?.fields['title'])));
    }
  });
  const envelopes = [
    workspaceEnvelope('task_created', {
      task_id: 't',
      title: 'first',
      description: '',
      status: 'todo',
      agent_id: null,
    }),
    workspaceEnvelope('task_updated', { task_id: 't', title: 'second' }),
  ];
  for (const envelope of envelopes) {
    await model.record({ envelopes: [envelope], parked: [], checkpoints: new Map() });
    await Promise.all(looks);
  }
  expect(found).toEqual(['first', 'first', 'first', 'second', 'second', 'second']);
  await engine.close();
});
