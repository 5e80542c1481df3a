import { MemoryDurableLog, SluiceError } from '@sluice/event-log';
import { sandboxEnvelope } from '@sluice/event-log/conformance';
import { createLogger, MetricsRegistry } from '@sluice/service-runtime';
import { countAppends } from './append-metrics';
import { createEngineSignals } from './engine-signals';

it('counts events once they are stored, and appends that failed', async () => {
  const metrics = new MetricsRegistry();
  const logger = createLogger({ service: 'test', level: 'silent', format: 'json' });
  const log = countAppends(new MemoryDurableLog(), createEngineSignals({ metrics, logger }));
  await log.append([sandboxEnvelope(), sandboxEnvelope()]);
  await log.append([sandboxEnvelope()]);
  expect([...(await log.ends()).values()].reduce((sum, end) => sum + end, 0)).toBe(3);
  await log.check();
  await log.close();
  await expect(log.append([sandboxEnvelope()])).rejects.toMatchObject({ code: 'log_unavailable' });
  await expect(log.check()).rejects.toMatchObject({ code: 'log_unavailable' });
  const text = await metrics.expose();
  expect(text).toContain('\nsluice_appended_events_total 3\n');
  expect(text).toContain('\nsluice_append_failed_attempts_total 1\n');
});

it('does not count what was refused for want of room as a failed attempt', async () => {
  const refuse = (code: 'overloaded' | 'log_unavailable') => () => Promise.reject(new SluiceError(code, 'refused'));
  let failures = 0;
  const signals = { appended: () => undefined, appendFailed: () => void failures++ };
  for (const code of ['overloaded', 'log_unavailable'] as const) {
    const log = countAppends(Object.assign(new MemoryDurableLog(), { append: refuse(code) }), signals);
    await expect(log.append([sandboxEnvelope()])).rejects.toMatchObject({ code });
  }
  expect(failures).toBe(1);
});
