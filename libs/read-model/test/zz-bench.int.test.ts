import type { EncodedEnvelope } from '@sluice/event-schema';
import { sandboxEnvelope } from '@sluice/event-log/conformance';
import { workspaceEnvelope } from '@sluice/projections/conformance';
import { openReadModel } from '../src';
import { createFreshDatabase } from './fresh-database';
it('bench', async () => {
  const database = await createFreshDatabase();
  const model = await openReadModel({ databaseUrl: database.url });
  const out: string[] = [];
  const time = async (name: string, envelopes: EncodedEnvelope[]) => {
    const t = performance.now();
    await model.record({ envelopes, parked: [], checkpoints: new Map() });
    process.stderr.write(`${name}: ${(performance.now() - t).toFixed(0)} ms\n`);
  };
  const many = (n: number, f: (n: number) => EncodedEnvelope) => Array.from({ length: n }, (_, i) => f(i));
  for (let round = 0; round < 3; round++) {
    await time('sandbox 1000', many(1000, (n) => sandboxEnvelope({ entityId: `s${n}` })));
    await time('task_created 1000', many(1000, (n) => workspaceEnvelope('task_created', { task_id: `t${n}`, title: 'x'.repeat(50), description: 'y'.repeat(500), status: 'todo', agent_id: null })));
    await time('status 1000', many(1000, (n) => workspaceEnvelope('task_status_changed', { task_id: `t${n}`, old_status: 'todo', new_status: 'done' })));
    await time('session 1', many(1, () => workspaceEnvelope('session_created', { session_id: 's', status: 'active' })));
    await time('messages 1000', many(1000, (n) => workspaceEnvelope('session_message', { session_id: 's', message_id: `m${round}-${n}`, role: 'user', content: 'z'.repeat(300) })));
    await time('one event', many(1, (n) => workspaceEnvelope('task_status_changed', { task_id: `t${n}`, old_status: 'todo', new_status: 'done' })));
  }
  await time('delete session 3000 msgs', [workspaceEnvelope('session_deleted', { session_id: 's' })]);
  // large
  const rnd = (n: number) => Array.from({ length: 90_000 }, (_, i) => String.fromCharCode(33 + ((i * 7919 + n * 104729 + ((i * i) % 8191)) % 90))).join('');
  const big = [rnd(1), rnd(2)] as const;
  for (let b = 0; b < 20; b++) {
    await model.record({ envelopes: many(50, (n) => workspaceEnvelope('task_created', { task_id: `big${b * 50 + n}`, title: 'x', description: big[0], status: 'todo', agent_id: null })), parked: [], checkpoints: new Map() });
    await model.record({ envelopes: many(50, (n) => workspaceEnvelope('task_updated', { task_id: `big${b * 50 + n}`, prompt: big[1] })), parked: [], checkpoints: new Map() });
  }
  await time('status of 1000 tasks of 180 kB', many(1000, (n) => workspaceEnvelope('task_status_changed', { task_id: `big${n}`, old_status: 'todo', new_status: 'done' })));
  await time('status of 1000 tasks of 180 kB', many(1000, (n) => workspaceEnvelope('task_status_changed', { task_id: `big${n}`, old_status: 'todo', new_status: 'done' })));
  process.stdout.write(out.join('\n') + '\n');
  await model.close();
  await database.drop();
}, 120_000);
