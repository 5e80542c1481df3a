import { assertRetryIsVisible, assertSessionSamplesRun, assertToolRunnerSurvivesCuts } from './session-checks';
import { SessionEngine } from './session-engine';
import { assertCommandLineTailsSessions } from './session-tail';
import { startEmbedded, type EmbeddedSystem } from './system';
import { assertWebhooksSurvive, WEBHOOK_FAULT_SETTINGS } from './webhook-faults';
import { WebhookReceiver } from './webhook-receiver';

let engine: SessionEngine;
let system: EmbeddedSystem;
let receiver: WebhookReceiver;

beforeAll(async () => {
  engine = await SessionEngine.start();
  receiver = await WebhookReceiver.start((n) => n % 13 !== 5);
  system = await startEmbedded({
    SLUICE_ALLOW_PRIVATE_URLS: new URL(engine.url).origin,
    SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS: receiver.origin,
    ...WEBHOOK_FAULT_SETTINGS,
  });
}, 300_000);

afterAll(async () => {
  await system.stop();
  await engine.stop();
  await receiver.stop();
}, 300_000);

describe('the surface of the Anthropic SDK, on the embedded engine', () => {
  it.concurrent.each(['@anthropic-ai/sdk', 'anthropic-sdk-0'])(
    'runs the samples of the session events document: %s',
    (sdk) => assertSessionSamplesRun(system, sdk),
    300_000,
  );

  it.concurrent(
    'lets the tool runner answer each call once, though its stream is cut again and again',
    async () => {
      await assertToolRunnerSurvivesCuts(system, engine);
    },
    300_000,
  );

  it.concurrent(
    'shows a retry of the engine on the stream, and a terminal error',
    async () => {
      await assertRetryIsVisible(system, engine);
    },
    300_000,
  );

  it.concurrent(
    'tells an application of every family, in order and signed',
    async () => {
      await assertWebhooksSurvive(system, receiver, () => Promise.resolve());
    },
    300_000,
  );

  it.concurrent(
    'shows the events of a session on the command line',
    () => assertCommandLineTailsSessions(system),
    300_000,
  );
});
