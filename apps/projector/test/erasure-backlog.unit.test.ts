import { MemoryReadModel } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { createErasureBacklogWorker } from '../src/erasure/erasure-backlog';
import { envelope, TestSignals } from './tools';

it('shows for how long the oldest open erasure has been open, and nothing once there is none', async () => {
  const model = new MemoryReadModel();
  await model.record({ envelopes: [envelope()], parked: [], checkpoints: new Map() });
  const entity = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-123' } as const;
  const { erasureId } = await model.erasures.request({ entity, fields: [] });
  const test = new TestSignals();
  const worker = createErasureBacklogWorker({ erasures: model.erasures, signals: test.signals, intervalMs: 1 });
  await worker.start();
  await until(async () => (await test.value('sluice_erasure_oldest_open_seconds')) > 0.01, 'its age is shown');
  expect(await test.value('sluice_erasures_open')).toBe(1);
  await model.erasures.abandon(erasureId);
  await until(async () => (await test.value('sluice_erasures_open')) === 0, 'it is gone');
  expect(await test.value('sluice_erasure_oldest_open_seconds')).toBe(0);
  await worker.stop();
});
