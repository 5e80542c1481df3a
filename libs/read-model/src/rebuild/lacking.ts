import { ProjectionFailed, SluiceError, type Lane, type ParkedRecord } from '@sluice/event-log';
import type { EncodedEnvelope, EventEnvelope } from '@sluice/event-schema';
import type { Queries } from '../database';
import { recordInTransaction, type ProjectEvent } from '../record-transaction';
import { NEXT } from './model-schemas';

/** Where records are kept that are events which the live model lacks. */
export const LACKING_TABLE = 'lacking_records';

/** Most of them, and bytes of their envelopes, that are recorded during a switch, while nobody else can record. */
export const MAX_LACKING = 1_000;
const MAX_LACKING_BYTES = 8 * 1024 * 1024;

interface Lacking {
  readonly lane: Lane;
  readonly index: number;
  readonly envelope: EncodedEnvelope;
}

/**
 * Records in the model beside what the live one lacks, at the head of the numbering; what a projection rejects is parked. The
 * projectors would not come back to it: they are past it. To be called in the transaction of the switch, when the model
 * beside has the counter of the live one.
 * @throws SluiceError `configuration` when it is too much for that
 */
export async function recordLacking(queries: Queries, project: ProjectEvent): Promise<void> {
  let lacking = await readLacking(queries);
  if (lacking.length === 0) return;
  const parked: ParkedRecord[] = [];
  // Ends: each further round has at least one event less.
  for (;;) {
    try {
      await queries.$executeRaw`SAVEPOINT before_lacking`;
      const envelopes = lacking.map(({ envelope }) => envelope);
      await recordInTransaction(queries, { envelopes, parked, checkpoints: new Map() }, project, NEXT);
      break;
    } catch (error) {
      if (!(error instanceof ProjectionFailed)) throw error;
      await queries.$executeRaw`ROLLBACK TO SAVEPOINT before_lacking`;
      const isRejected = ({ envelope }: Lacking) => envelope.event.id === error.eventId;
      if (!lacking.some(isRejected)) throw error;
      parked.push(...lacking.filter(isRejected).map((record) => toParked(record, String(error.cause))));
      lacking = lacking.filter((record) => !isRejected(record));
    }
  }
  await queries.$executeRaw`
    UPDATE maintenance.rebuilds SET projected = c.last_position FROM ${NEXT}.position_counter c WHERE is_open`;
}

async function readLacking(queries: Queries): Promise<Lacking[]> {
  const [size] = await queries.$queryRaw<{ records: string; bytes: string }[]>`
    SELECT count(*) AS records, coalesce(sum(octet_length(envelope)), 0) AS bytes FROM ${NEXT}.lacking_records`;
  const isTooMuch = Number(size?.records ?? 0) > MAX_LACKING || Number(size?.bytes ?? 0) > MAX_LACKING_BYTES;
  const rows = await queries.$queryRaw<{ lane: number; index: string; envelope: string }[]>`
    SELECT lane, index, envelope FROM ${NEXT}.lacking_records ORDER BY lane, index LIMIT ${isTooMuch ? 1 : MAX_LACKING}`;
  const lacking = rows.map(({ lane, index, envelope }) => ({
    lane: lane as Lane,
    index: Number(index),
    envelope: { event: JSON.parse(envelope) as EventEnvelope, json: envelope },
  }));
  const [first] = lacking;
  if (!isTooMuch || !first) return lacking;
  const where = `the first is ${first.envelope.event.id}, at index ${first.index} of lane ${first.lane}`;
  throw new SluiceError('configuration', `Positions cannot be kept: the live model lacks too many events, ${where}`);
}

function toParked({ lane, index, envelope }: Lacking, detail: string): ParkedRecord {
  const { id, workspaceId } = envelope.event;
  const value = Buffer.from(envelope.json);
  return { lane, index, value, reason: 'projection_failed', detail, workspaceId, eventId: id };
}
