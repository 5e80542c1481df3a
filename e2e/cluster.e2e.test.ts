import { assertConnectionsLimited } from './connection-limit';
import { assertExactlyOnce } from './exactly-once';
import { assertRedisClientReceives } from './redis-client';
import { assertRollingRestartLosesNothing } from './rolling-restart';
import { assertSamplesRun } from './samples';
import { assertRegistryPayloads, assertRegistrySamplesRun } from './stream-samples';
import { startCluster, type ClusterSystem } from './system';

const SEED = 20_262;
let system: ClusterSystem;

beforeAll(async () => {
  system = await startCluster({ SLUICE_CLUSTER_REPLICAS: 'sse-stream=3', SLUICE_SSE_DRAIN_SPREAD: '3s' });
}, 180_000);

afterAll(async () => {
  await system.stop();
}, 60_000);

describe('the cluster engine, each app a process, and three replicas of the streams', () => {
  it('runs the samples of the sandbox events document', () => assertSamplesRun(system), 120_000);

  it('gives an unmodified Redis client the events of its sandbox', () => assertRedisClientReceives(system), 60_000);

  it('runs the samples of the registry events document', () => assertRegistrySamplesRun(system), 120_000);

  it('shows every documented field of every registry event', () => assertRegistryPayloads(system), 60_000);

  it(
    'never holds more than ten connections of one key, and frees those of a replica that was killed',
    () => assertConnectionsLimited(system),
    180_000,
  );

  it(
    'loses and doubles nothing for anybody while its streams are restarted one by one under load (G2, G5)',
    () => assertRollingRestartLosesNothing(system),
    300_000,
  );

  it(
    'shows every acknowledged event exactly once to subscribers that are cut, over kill -9 of the projector and the loss of the delivery log (G1-G6)',
    () =>
      assertExactlyOnce(
        system,
        [
          { atShare: 0.3, run: () => system.killApp('projector') },
          { atShare: 0.6, run: () => system.loseDeliveryLog() },
        ],
        SEED,
      ),
    400_000,
  );
});
