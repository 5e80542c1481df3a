import { sandboxEnvelope } from '@sluice/event-log/conformance';
import { fromStoredRow } from './stored-event';

const NUMBERS = { position: 7n, entity_sequence: 2n, recorded_at: 5n };

describe('fromStoredRow', () => {
  it.each([1, 0, 9_999])(
    'gives an event that says version %s, whether or not the catalogue knows it',
    (schemaVersion) => {
      const { event, json } = sandboxEnvelope({ schemaVersion });
      const read = fromStoredRow({ ...NUMBERS, envelope: json });
      expect(read.event).toEqual({ ...event, position: 7, entitySequence: 2, recordedAt: 5 });
      expect(JSON.parse(read.json)).toEqual(read.event);
    },
  );

  it('does not hide that a row holds no document', () => {
    expect(() => fromStoredRow({ ...NUMBERS, envelope: 'xxx' })).toThrow(SyntaxError);
  });
});
