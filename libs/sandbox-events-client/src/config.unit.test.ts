import { resolveClientConfig, resolvePubSubConfig } from './config';

const NAMES = [
  'COMPUTESDK_API_KEY',
  'COMPUTESDK_ACCESS_TOKEN',
  'COMPUTESDK_GATEWAY_URL',
  'COMPUTESDK_PUBSUB_HOST',
  'COMPUTESDK_PUBSUB_PORT',
];
const before = { ...process.env };

beforeEach(() => {
  for (const name of NAMES) Reflect.deleteProperty(process.env, name);
});
afterAll(() => {
  process.env = before;
});

it('has the documented defaults', () => {
  expect(resolveClientConfig({})).toEqual({
    gatewayUrl: 'https://events.computesdk.com',
    apiKey: undefined,
    accessToken: undefined,
    timeoutMs: 30_000,
    retries: 3,
    retryDelayMs: 200,
  });
  expect(resolvePubSubConfig({ sandboxId: 's' })).toMatchObject({
    host: 'events.computesdk.com',
    port: 6380,
    autoReconnect: true,
    reconnectDelayMs: 1_000,
    heartbeatIntervalMs: 15_000,
    heartbeatTimeoutMs: 30_000,
    tls: false,
  });
});

it('reads the environment, and the configuration wins over it', () => {
  process.env['COMPUTESDK_API_KEY'] = 'k';
  process.env['COMPUTESDK_ACCESS_TOKEN'] = 't';
  process.env['COMPUTESDK_GATEWAY_URL'] = 'http://g/';
  process.env['COMPUTESDK_PUBSUB_HOST'] = 'h';
  process.env['COMPUTESDK_PUBSUB_PORT'] = '7000';
  expect(resolveClientConfig({})).toMatchObject({ gatewayUrl: 'http://g', apiKey: 'k', accessToken: 't' });
  expect(resolvePubSubConfig({ sandboxId: 's' })).toMatchObject({ host: 'h', port: 7_000, accessToken: 't' });
  expect(resolveClientConfig({ gatewayUrl: 'http://x', apiKey: 'a', accessToken: 'b' })).toMatchObject({
    gatewayUrl: 'http://x',
    apiKey: 'a',
    accessToken: 'b',
  });
  expect(resolvePubSubConfig({ sandboxId: 's', host: 'i', port: 1, accessToken: 'u' })).toMatchObject({
    host: 'i',
    port: 1,
    accessToken: 'u',
  });
});

it.each(['', '0', '65536', 'abc', '1.5'])('takes the default port for COMPUTESDK_PUBSUB_PORT=%j', (port) => {
  process.env['COMPUTESDK_PUBSUB_PORT'] = port;
  expect(resolvePubSubConfig({ sandboxId: 's' }).port).toBe(6380);
});

it('bounds what timers and loops are made of', () => {
  expect(resolveClientConfig({ retries: 1e9, timeout: Number.POSITIVE_INFINITY })).toMatchObject({
    retries: 10,
    timeoutMs: 2_147_483_647,
  });
  expect(resolveClientConfig({ retries: -1, timeout: Number.NaN })).toMatchObject({ retries: 0, timeoutMs: 30_000 });
  expect(resolvePubSubConfig({ sandboxId: 's', heartbeatIntervalMs: 0 }).heartbeatIntervalMs).toBe(0);
});
