import type { EncodedEnvelope } from '@sluice/event-schema';
import { BEFORE_FIRST, toPosition } from '../position';
import type { EventRetention, RetentionBounds, RetentionStep } from '../ports/event-retention';
import type { ReadModel, RecordOutcome } from '../ports/read-model';
import type { ReadModelRebuilds } from '../ports/read-model-rebuild';

/** One read model with what takes events out of it; every test gets a fresh one. */
export interface RemovalHarness {
  readonly model: ReadModel & { readonly retention: EventRetention; readonly rebuilds: ReadModelRebuilds };
  /** Records events as if it had been done so long ago. */
  recordAged(envelopes: readonly EncodedEnvelope[], ageMs: number): Promise<RecordOutcome>;
  destroy(): Promise<void>;
}

export const LEASE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const BOUNDS: RetentionBounds = { maxEvents: 100, maxBytes: 1_000_000, maxScanned: 1_000 };
export const SANDBOX = { workspaceId: 1, family: 'sandbox' } as const;

/** What tests of removed events do to a read model, and look at. */
export function removalTools(model: () => RemovalHarness['model']) {
  const everything = () => model().readAll({ after: BEFORE_FIRST, upTo: toPosition(1_000), limit: 1_000 });
  return {
    record: (envelopes: readonly EncodedEnvelope[]) =>
      model().record({ envelopes, parked: [], checkpoints: new Map() }),
    everything,
    kept: async () => (await everything()).events.map(({ event }) => event.position as number),
    gone: async () => (await everything()).removed.map(({ position }) => position as number),
    floor: async (workspaceIds: number[], families?: ['sandbox' | 'session' | 'registry']) =>
      (await model().read({ filter: { workspaceIds, ...(families && { families }) }, limit: 1 })).floor as number,
    /** All steps of one round. */
    sweepAll: async (bounds: RetentionBounds = BOUNDS): Promise<readonly RetentionStep[]> => {
      const work = await model().retention.claim('a worker', LEASE_MS);
      if (!work) throw new Error('somebody else is at it');
      const steps: RetentionStep[] = [];
      for (;;) {
        const step = await work.step(bounds);
        if (step.kind === 'done') break;
        steps.push(step);
        if (step.kind === 'waiting') break;
      }
      await work.release();
      return steps;
    },
  };
}
