import { until } from '@sluice/event-log/conformance';
import { parseSettings, readEnv } from '@sluice/service-runtime';
import { createAppHost, toHostConfig } from './app-host';
import { hostSettings } from './host-settings';

/** Nobody listens there. */
const ENV = {
  SLUICE_ENGINE: 'cluster',
  SLUICE_DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
  SLUICE_KAFKA_BROKERS: '127.0.0.1:1',
  SLUICE_NATS_URL: 'nats://127.0.0.1:1',
  SLUICE_LOG_LEVEL: 'silent',
};

it('tells whether the delivery log is connected where it is used, and nowhere else', async () => {
  const definition = hostSettings({ httpPort: 0 });
  const host = createAppHost(toHostConfig('test', parseSettings(definition, readEnv(definition, ENV))));
  try {
    expect(await host.metrics.expose()).not.toContain('sluice_delivery_log_connected');
    const opened = host.engine.deliveryLog();
    await until(async () => (await host.metrics.expose()).includes('\nsluice_delivery_log_connected 0\n'));
    await opened;
  } finally {
    await host.close();
  }
});

it('tells of sealed records that do not open before there are any', async () => {
  const definition = hostSettings({ httpPort: 0 });
  const host = createAppHost(toHostConfig('test', parseSettings(definition, readEnv(definition, ENV))));
  const text = await host.metrics.expose();
  await host.close();
  expect(text).toContain('\nsluice_sealed_records_not_opened_total{reason="unreadable"} 0\n');
});
