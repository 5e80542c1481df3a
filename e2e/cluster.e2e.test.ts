import { assertExactlyOnce } from './exactly-once';
import { assertRedisClientReceives } from './redis-client';
import { assertSamplesRun } from './samples';
import { startCluster, type ClusterSystem } from './system';

const SEED = 20_262;
let system: ClusterSystem;

beforeAll(async () => {
  system = await startCluster();
}, 180_000);

afterAll(async () => {
  await system.stop();
}, 60_000);

describe('the cluster engine, each app a process', () => {
  it('runs the samples of the sandbox events document', () => assertSamplesRun(system), 120_000);

  it('gives an unmodified Redis client the events of its sandbox', () => assertRedisClientReceives(system), 60_000);

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
