import { MemoryReadModel, SluiceError, type EventRecorder, type Lane, type LogBatch } from '@sluice/event-log';
import type { EncodedEnvelope, RecordedEvent } from '@sluice/event-schema';
import { projectBatch } from '../src/project-batch';
import { envelope, logRecord, range, TestSignals } from './tools';

const LANE = 0 as Lane;

/** A projection that cannot take some events. */
function rejectPoison({ data }: RecordedEvent): void {
  if (data['poison'] === true) throw new Error('cannot be projected \u0000 at all');
}

function batchOf(values: readonly (EncodedEnvelope | string)[], first = 0): LogBatch {
  const records = values.map((value, n) => logRecord(typeof value === 'string' ? value : value.json, first + n));
  return { records, checkpoints: new Map([[LANE, { from: 0, to: first + values.length }]]) };
}

describe('projectBatch', () => {
  let model: MemoryReadModel;
  let test: TestSignals;
  beforeEach(() => {
    model = new MemoryReadModel({ project: rejectPoison });
    test = new TestSignals();
  });

  const project = (batch: LogBatch, recorder: Pick<EventRecorder, 'record'> = model) =>
    projectBatch(batch, recorder, test.signals);
  const checkpoint = async () => (await model.loadCheckpoints([LANE])).get(LANE);
  const parked = () => model.parked.list({ limit: 1_000 });

  it('records a batch with contiguous positions and its checkpoint (G4)', async () => {
    const first = await project(batchOf(range(1, 5).map((n) => envelope({ data: { n } }))));
    const second = await project(
      batchOf(
        range(6, 9).map((n) => envelope({ entityId: 'other', data: { n } })),
        5,
      ),
    );
    const recorded = [...first.recorded, ...second.recorded].map(({ event }) => event);
    expect(recorded.map(({ position }) => position)).toEqual(range(1, 9));
    expect(recorded.map(({ data }) => data['n'])).toEqual(range(1, 9));
    expect(recorded.map(({ entitySequence }) => entitySequence)).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4]);
    expect(await checkpoint()).toBe(9);
    expect(await test.value('sluice_projector_recorded_events_total')).toBe(9);
    expect(await test.value('sluice_projector_record_duration_seconds_count')).toBe(2);
  });

  it('skips ids that it has, and counts them (G2)', async () => {
    const [a, b, c] = [envelope(), envelope(), envelope()];
    await project(batchOf([a, b]));
    const outcome = await project(batchOf([b, c, a, c], 2));
    expect(outcome.recorded.map(({ event }) => event.id)).toEqual([c.event.id]);
    expect(outcome.recorded[0]?.event.position).toBe(3);
    expect(await test.value('sluice_projector_duplicate_events_total')).toBe(3);
    expect(await checkpoint()).toBe(6);
  });

  it('handles the same batch again without a trace, as after a crash', async () => {
    const batch = batchOf([envelope(), 'poison', envelope({ data: { poison: true } })]);
    await project(batch);
    const again = await project(batch);
    expect(again.recorded).toEqual([]);
    expect((await model.head()).position).toBe(1);
    expect(await model.parked.count()).toBe(2);
  });

  it('parks what cannot be read, with its bytes, place and reason, and records the rest (G7)', async () => {
    const good = range(1, 3).map((n) => envelope({ data: { n } }));
    const { recorded } = await project(
      batchOf(['{', ...good.slice(0, 1), '{"workspaceId":4}', ...good.slice(1), envelope({ schemaVersion: 3 })]),
    );
    expect(recorded.map(({ event }) => event.data['n'])).toEqual([1, 2, 3]);
    const records = await parked();
    expect(records.map(({ index, reason }) => [index, reason])).toEqual([
      [0, 'not_json'],
      [2, 'invalid_envelope'],
      [5, 'unknown_version'],
    ]);
    expect(new TextDecoder().decode(records[1]?.value)).toBe('{"workspaceId":4}');
    expect(records[1]?.workspaceId).toBe(4);
    expect(await test.value('sluice_projector_parked_records_total{reason="not_json"}')).toBe(1);
    expect(await test.value('sluice_projector_parked_records_total{reason="unknown_version"}')).toBe(1);
  });

  it('parks what a projection rejects, and it alone, however many there are (G7)', async () => {
    const batch = batchOf(range(1, 40).map((n) => envelope({ data: { n, poison: n % 3 === 0 } })));
    const { recorded } = await project(batch);
    const good = range(1, 40).filter((n) => n % 3 !== 0);
    expect(recorded.map(({ event }) => event.data['n'])).toEqual(good);
    expect(recorded.map(({ event }) => event.position)).toEqual(range(1, good.length));
    const records = await parked();
    expect(records.map(({ index }) => index + 1).sort((a, b) => a - b)).toEqual(
      range(1, 40).filter((n) => n % 3 === 0),
    );
    for (const { reason, detail } of records) {
      expect(reason).toBe('projection_failed');
      expect(detail).toContain('cannot be projected');
      expect(detail).not.toContain('\0');
    }
    expect(await checkpoint()).toBe(40);
  });

  it('parks a poison event wherever it was repeated', async () => {
    const poison = envelope({ data: { poison: true } });
    const { recorded } = await project(batchOf([poison, envelope(), poison]));
    expect(recorded).toHaveLength(1);
    expect((await parked()).map(({ index }) => index)).toEqual([0, 2]);
  });

  it('moves the checkpoint on over a batch of nothing but poison', async () => {
    expect((await project(batchOf(range(1, 20).map(() => 'poison')))).recorded).toEqual([]);
    expect(await checkpoint()).toBe(20);
  });

  it('rejects as a whole, and parks nothing, when the read model is away: the batch comes again', async () => {
    const away: Pick<EventRecorder, 'record'> = {
      record: () => Promise.reject(new SluiceError('read_model_unavailable', 'away')),
    };
    await expect(project(batchOf([envelope(), 'poison']), away)).rejects.toMatchObject({ retryable: true });
    expect(await model.parked.count()).toBe(0);
    expect(await checkpoint()).toBeUndefined();
    expect(await test.value('sluice_projector_recorded_events_total')).toBe(0);
    expect(await test.value('sluice_projector_parked_records_total{reason="not_json"}')).toBe(0);
  });

  it('logs where each parked record lies and what is known of it', async () => {
    const poison = envelope({ data: { poison: true }, workspaceId: 7 });
    await project(batchOf(['{', poison], 40));
    expect(test.logged('parked a record')).toEqual([
      { level: 'warn', reason: 'not_json', lane: LANE, index: 40 },
      {
        level: 'warn',
        reason: 'projection_failed',
        lane: LANE,
        index: 41,
        workspaceId: 7,
        eventId: poison.event.id,
      },
    ]);
  });
});
