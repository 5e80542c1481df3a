import { deliveryLogLost } from '../regression/delivery-log-lost';
import { killApp } from '../regression/kill-apps';
import { poisonRecords } from '../regression/poison';
import { assertFaultsAreSurvived } from '../regression/short-run';
import { assertConnectionsLimited } from './connection-limit';
import { assertErased } from './erasure';
import { assertExactlyOnce } from './exactly-once';
import { rebuildReadModel } from './read-model-rebuild';
import { assertRedisClientReceives } from './redis-client';
import { assertRollingRestartLosesNothing } from './rolling-restart';
import { assertSamplesRun } from './samples';
import { assertRegistryPayloads, assertRegistrySamplesRun } from './stream-samples';
import { assertRetryIsVisible, assertSessionSamplesRun, assertToolRunnerSurvivesCuts } from './session-checks';
import { SessionEngine } from './session-engine';
import { assertSessionsSurvive } from './session-faults';
import { startCluster, type ClusterSystem } from './system';
import { assertWebhooksSurvive, WEBHOOK_FAULT_SETTINGS } from './webhook-faults';
import { WebhookReceiver } from './webhook-receiver';

const SEED = 20_262;
let system: ClusterSystem;
let engine: SessionEngine;
let receiver: WebhookReceiver;

beforeAll(async () => {
  engine = await SessionEngine.start();
  receiver = await WebhookReceiver.start((n) => n % 13 !== 5);
  system = await startCluster({
    SLUICE_CLUSTER_REPLICAS: 'sse-stream=3,sessions=2,webhooks=2',
    SLUICE_SSE_DRAIN_SPREAD: '1s',
    // What is erased is gone when the keys are old that processes have in memory.
    SLUICE_LOG_KEY_MAX_AGE: '12s',
    SLUICE_ALLOW_PRIVATE_URLS: new URL(engine.url).origin,
    SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS: receiver.origin,
    ...WEBHOOK_FAULT_SETTINGS,
  });
}, 180_000);

afterAll(async () => {
  // A start that failed has left nothing to stop, and its reason is what should be told.
  await (system as ClusterSystem | undefined)?.stop();
  await engine.stop();
  await receiver.stop();
}, 300_000);

describe('the cluster engine, each app a process, and several replicas of streams, sessions and webhooks', () => {
  it.concurrent('runs the samples of the sandbox events document', () => assertSamplesRun(system), 300_000);

  it.concurrent(
    'gives an unmodified Redis client the events of its sandbox',
    () => assertRedisClientReceives(system),
    300_000,
  );

  it.concurrent('runs the samples of the registry events document', () => assertRegistrySamplesRun(system), 300_000);

  it.concurrent(
    'runs the samples of the session events document',
    () => assertSessionSamplesRun(system, '@anthropic-ai/sdk'),
    300_000,
  );

  it.concurrent(
    'lets the tool runner of the Anthropic SDK answer each call once, though its stream is cut again and again',
    () => assertToolRunnerSurvivesCuts(system, engine),
    300_000,
  );

  it.concurrent(
    'shows a retry of the engine on the stream, and a terminal error',
    () => assertRetryIsVisible(system, engine),
    300_000,
  );

  // Alone: it looks for each registry event once.
  it('shows every documented field of every registry event', () => assertRegistryPayloads(system), 300_000);

  it(
    'keeps every invariant of fifty sessions, and loses and doubles nothing, over kill -9 of a replica (G1, G2, G6)',
    () => assertSessionsSurvive(system, engine, () => system.killApp('sessions-2'), SEED),
    300_000,
  );

  it(
    'tells an application of every family, in order and signed, over kill -9 of a replica of webhooks (G2, G6)',
    () => assertWebhooksSurvive(system, receiver, () => system.killApp('webhooks-2')),
    400_000,
  );

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
    'loses, doubles and misorders nothing at any door over kill -9, poison, and the loss of the delivery log (G1-G7)',
    () =>
      assertFaultsAreSurvived(system, receiver, async (trial) => {
        await trial.round('kill -9 of the projector', () => killApp(system, 'projector'));
        await poisonRecords.cluster?.run({ system, trial, rounds: 1 });
        await deliveryLogLost.cluster?.run({ system, trial, rounds: 1 });
      }),
    300_000,
  );

  it(
    'shows every acknowledged event exactly once to subscribers that are cut, over kill -9 of the projector, the loss of the delivery log and a rebuild of the read model (G1-G6, G10)',
    () =>
      assertExactlyOnce(
        system,
        [
          { atShare: 0.3, run: () => system.killApp('projector') },
          { atShare: 0.45, run: () => rebuildReadModel(system, () => system.killApp('projector')) },
          { atShare: 0.6, run: () => system.restartBroker('nats', 'SIGKILL', 'wipe') },
        ],
        SEED,
      ),
    400_000,
  );

  // The last one: others look for every event, and for a rebuild in which each has its effect.
  it('erases an entity, and leaves the others', () => assertErased(system), 300_000);
});
