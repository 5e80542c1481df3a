import { startEmbedded, type EmbeddedSystem } from '../e2e/system';
import { WebhookReceiver } from '../e2e/webhook-receiver';
import { steadyPorts } from '../tools/faults/steady-ports';
import { killApp } from './kill-apps';
import { poisonRecords } from './poison';
import { assertFaultsAreSurvived } from './short-run';

let receiver: WebhookReceiver;
let system: EmbeddedSystem;

beforeAll(async () => {
  receiver = await WebhookReceiver.start();
  system = await startEmbedded({
    ...(await steadyPorts()),
    SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS: receiver.origin,
    // Endpoints of the process that was killed are free soon.
    SLUICE_WEBHOOK_LEASE: '3s',
  });
}, 300_000);

afterAll(async () => {
  await (system as EmbeddedSystem | undefined)?.stop();
  await receiver.stop();
}, 60_000);

describe('the fault suite, in short, on the embedded engine', () => {
  it('loses, doubles and misorders nothing at any door over kill -9 and poison (G1-G5, G7)', async () => {
    await assertFaultsAreSurvived(system, receiver, async (trial) => {
      await trial.round('kill -9', () => killApp(system, 'all-in-one'));
      await poisonRecords.embedded?.run({ system, trial, rounds: 1 });
    });
  }, 300_000);
});
