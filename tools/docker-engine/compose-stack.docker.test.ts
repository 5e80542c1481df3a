import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@sluice/event-log/conformance';
import { WebSocket } from 'ws';
import { assertErased } from '../../e2e/erasure';
import { assertExactlyOnce } from '../../e2e/exactly-once';
import { rebuildReadModel } from '../../e2e/read-model-rebuild';
import { assertRedisClientReceives } from '../../e2e/redis-client';
import { assertRollingRestartLosesNothing } from '../../e2e/rolling-restart';
import { assertSamplesRun } from '../../e2e/samples';
import { assertSessionSamplesRun } from '../../e2e/session-checks';
import { assertRegistryPayloads, assertRegistrySamplesRun } from '../../e2e/stream-samples';
import type { DevFile, System } from '../../e2e/system';
import { stackOfTest } from './config';
import { ROOT } from './run-module';

/**
 * The end-to-end tests on the compose stack, through its gateway, run by `cli.mjs check`. Left out are those in which the
 * platform calls a program of the test (registered engines, webhooks): that listens on the loopback of this machine, where
 * containers do not come; and those that need several replicas, which the stack does not have.
 */
const SEED = 20_266;
const ORDER_TIMEOUT_MS = 120_000;
/** Longer than a drain takes. */
const DRAIN_SECONDS = 60;
const dev = JSON.parse(stackOfTest()) as DevFile;
const system: System = {
  engine: 'cluster',
  dataDir: '',
  dev: () => dev,
  stop: () => Promise.resolve(),
};

const docker = async (...args: readonly string[]): Promise<void> => {
  await promisify(execFile)('docker', [...args], { timeout: ORDER_TIMEOUT_MS });
};
const compose = (...args: readonly string[]): Promise<void> =>
  docker('compose', '--file', join(ROOT, 'docker', 'compose.yaml'), ...args);

/** SIGTERM, its drain, and back. */
async function restartApp(name: string): Promise<void> {
  await compose('restart', '--timeout', String(DRAIN_SECONDS), name);
  await compose('up', '--detach', '--no-build', '--no-deps', '--wait', name);
}

/** `kill -9`, and back: an engine does not start again by itself what was killed by order. */
async function killApp(name: string): Promise<void> {
  await compose('kill', '--signal', 'SIGKILL', name);
  await compose('up', '--detach', '--no-build', '--no-deps', '--wait', name);
}

async function loseDeliveryLog(): Promise<void> {
  await compose('kill', '--signal', 'SIGKILL', 'nats');
  await compose('rm', '--force', 'nats');
  await docker('volume', 'rm', 'sluice_nats');
  await compose('up', '--detach', '--no-build', '--no-deps', '--wait', 'nats');
}

describe('the compose stack, through its gateway', () => {
  it('stores a first event, and shows it on a stream and over a WebSocket', async () => {
    const stream = await fetch(`${dev.baseUrl}/v1/stream`, { headers: { 'x-api-key': dev.apiKey } });
    const socket = new WebSocket(`${dev.baseUrl.replace('http', 'ws')}/ws`, { headers: { 'x-api-key': dev.apiKey } });
    let isOpen = false;
    socket.on('open', () => (isOpen = true));
    try {
      await until(() => isOpen, 'the WebSocket opens', ORDER_TIMEOUT_MS);
      const stored = await fetch(`${dev.baseUrl}/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${dev.accessToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ type: 'custom.event', data: { hello: 'world' } }),
      });
      const { data } = (await stored.json()) as { data: { eventId: string } };
      expect(stored.ok).toBe(true);
      let text = '';
      const decoder = new TextDecoder();
      for await (const chunk of stream.body ?? []) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        if (text.includes(data.eventId)) break;
      }
      expect(text).toContain(data.eventId);
    } finally {
      socket.terminate();
      await stream.body?.cancel().catch(() => undefined);
    }
  });

  it('answers for apps that do not exist, and for one that is away, in the form of all errors', async () => {
    const missing = await fetch(`${dev.baseUrl}/nowhere`);
    expect([missing.status, await missing.json()]).toEqual([404, expect.objectContaining({ code: 'not_found' })]);
    const tasks = () => fetch(`${dev.baseUrl}/api/tasks`, { headers: { 'x-api-key': dev.apiKey } });
    await compose('stop', 'workspace');
    try {
      const away = await tasks();
      expect([away.status, await away.json()]).toEqual([503, expect.objectContaining({ code: 'app_unavailable' })]);
      expect(away.headers.get('retry-after')).toBe('1');
    } finally {
      await compose('up', '--detach', '--no-build', '--no-deps', '--wait', 'workspace');
    }
    await until(async () => (await tasks()).ok, 'the gateway finds it again', ORDER_TIMEOUT_MS);
  }, 300_000);

  it('runs the samples of the sandbox events document', () => assertSamplesRun(system), 300_000);

  it('gives an unmodified Redis client the events of its sandbox', () => assertRedisClientReceives(system), 300_000);

  it('runs the samples of the registry events document', () => assertRegistrySamplesRun(system), 300_000);

  it('shows every documented field of every registry event', () => assertRegistryPayloads(system), 300_000);

  it(
    'runs the samples of the session events document',
    () => assertSessionSamplesRun(system, '@anthropic-ai/sdk'),
    300_000,
  );

  it(
    'loses and doubles nothing for anybody while its stream door is restarted under load (G2, G5)',
    () => assertRollingRestartLosesNothing({ ...system, roll: restartApp }),
    600_000,
  );

  it(
    'shows every acknowledged event exactly once to subscribers that are cut, over kill -9 of the projector, the loss of the delivery log and a rebuild of the read model (G1-G6, G10)',
    () =>
      assertExactlyOnce(
        system,
        [
          { atShare: 0.3, run: () => killApp('projector') },
          { atShare: 0.45, run: () => rebuildReadModel(system, () => killApp('projector')) },
          { atShare: 0.6, run: loseDeliveryLog },
        ],
        SEED,
      ),
    600_000,
  );

  it('erases an entity, and leaves the others', () => assertErased(system), 300_000);
});
