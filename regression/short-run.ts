import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterSystem, EmbeddedSystem } from '../e2e/system';
import type { WebhookReceiver } from '../e2e/webhook-receiver';
import { databaseUrlOf } from '../tools/faults/raw-log';
import { Trial } from '../tools/faults/trial';

/**
 * Does faults to a system that runs, and asserts the rule of the suite but for its times: nothing lost, doubled,
 * misordered or invented anywhere, and nothing else to report (G1-G7).
 */
export async function assertFaultsAreSurvived(
  system: ClusterSystem | EmbeddedSystem,
  receiver: WebhookReceiver,
  doFaults: (trial: Trial) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-short-run-'));
  const trial = await Trial.start(system, receiver, { folder, number: 1, log: () => undefined });
  try {
    await doFaults(trial);
    const { verdicts, faults, acknowledged } = await trial.finish(await databaseUrlOf(system));
    expect({ verdicts, faults }).toEqual({ verdicts: [], faults: [] });
    expect(acknowledged).toBeGreaterThan(0);
  } finally {
    await trial.close();
    await rm(folder, { recursive: true, force: true });
  }
}
