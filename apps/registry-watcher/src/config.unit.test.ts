import { parseSettings, readEnv } from '@sluice/service-runtime';
import { registryWatcherSettings, toRegistryWatcherConfig } from './config';

const configOf = (env: NodeJS.ProcessEnv) =>
  toRegistryWatcherConfig(parseSettings(registryWatcherSettings, readEnv(registryWatcherSettings, env)));

it('watches nothing by default', () => {
  const config = configOf({});
  expect(config).toMatchObject({ chains: [], leaseMs: 15_000, probes: { intervalMs: 900_000, failuresToDown: 3 } });
  expect(config).not.toHaveProperty('classifier');
});

it('takes milliseconds for the probe interval', () => {
  expect(configOf({ SLUICE_PROBE_INTERVAL_MS: '2500' }).probes.intervalMs).toBe(2_500);
});

it('wants a model for a classifier, and a usable URL', () => {
  const url = 'http://127.0.0.1:9';
  expect(() => configOf({ SLUICE_CLASSIFIER_URL: url })).toThrow(/SLUICE_CLASSIFIER_MODEL is required/);
  const config = configOf({ SLUICE_CLASSIFIER_URL: url, SLUICE_CLASSIFIER_MODEL: 'm', SLUICE_CLASSIFIER_KEY: 'k' });
  expect(config.classifier).toEqual({ api: 'messages', url, key: 'k', model: 'm', budgetPerHour: 50 });
});

it('tells at once what cannot be a private origin', () => {
  expect(configOf({ SLUICE_ALLOW_PRIVATE_URLS: 'http://127.0.0.1:9000,minio:9000' }).allowPrivateUrls).toHaveLength(2);
  expect(() => configOf({ SLUICE_ALLOW_PRIVATE_URLS: 'anything' })).toThrow(/SLUICE_ALLOW_PRIVATE_URLS: /);
});

it('names the setting of a bad chains file', () => {
  expect(() => configOf({ SLUICE_CHAINS_FILE: '/nonexistent/chains.json' })).toThrow(/SLUICE_CHAINS_FILE: .*ENOENT/);
});
