import { newEventId } from '@sluice/event-schema';
import { toPosition } from '../position';
import type { ReadModel } from '../ports/read-model';
import { sandboxEnvelope } from './tools';

const BOUNDS = { maxEvents: 100, maxBytes: 1_000_000 };

/** What is left of events that were removed. */
export function describeWhatStays(model: () => ReadModel): void {
  const entity = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-123' } as const;
  const record = (...envelopes: ReturnType<typeof sandboxEnvelope>[]) =>
    model().record({ envelopes, parked: [], checkpoints: new Map() });

  describe('what stays of an entity', () => {
    it('is its ids, which are told from those that were never recorded', async () => {
      const envelopes = [sandboxEnvelope(), sandboxEnvelope(), sandboxEnvelope()];
      const ids = envelopes.map(({ event }) => event.id);
      await record(...envelopes);
      expect(await model().removedAmong(ids)).toEqual(new Set());
      await model().removed.removeOfEntity(entity, toPosition(2), BOUNDS);
      expect(await model().removedAmong([...ids, newEventId()])).toEqual(new Set(ids.slice(0, 2)));
      expect(await model().removedAmong([])).toEqual(new Set());
    });

    it('is how far it came, with no event left', async () => {
      await record(sandboxEnvelope({ occurredAt: 7 }), sandboxEnvelope({ occurredAt: 8 }));
      await record(sandboxEnvelope({ workspaceId: 2 }), sandboxEnvelope({ entityId: 'another' }));
      const summary = { ...entity, eventCount: 2, firstPosition: 1, lastPosition: 2, lastOccurredAt: 8 };
      expect(await model().findEntity(entity)).toEqual(summary);
      await model().removed.removeOfEntity(entity, toPosition(2), BOUNDS);
      expect(await model().findEntity(entity)).toEqual(summary);
      expect(await model().findEntity({ ...entity, workspaceId: 3 })).toBeUndefined();
      expect(await model().findEntity({ ...entity, family: 'session' })).toBeUndefined();
    });
  });
}
