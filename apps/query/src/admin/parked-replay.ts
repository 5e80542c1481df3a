import { decodeUtf8, type DurableLog, type ParkedRecords, type StoredParkedRecord } from '@sluice/event-log';
import { eventEnvelopeSchema, MAX_EVENT_BYTES, type EncodedEnvelope } from '@sluice/event-schema';

/** Most records that one call replays, or looks at. */
export const MAX_REPLAYED_RECORDS = 1000;

/** Records that are held in memory at a time: their values are as long as the log allows. */
const PAGE_RECORDS = 25;

export type ReplayOutcome =
  | { readonly parkedId: number; readonly outcome: 'replayed' }
  /** It is still no event, so it cannot be appended; `reason` is what it was parked for. */
  | { readonly parkedId: number; readonly outcome: 'not_replayable'; readonly reason: string }
  | { readonly parkedId: number; readonly outcome: 'not_found' };

export interface ReplayReport {
  readonly results: readonly ReplayOutcome[];
  /** With `all`: there may be more after this id. */
  readonly nextAfter?: number;
}

/**
 * Puts parked records back into the durable log, with their original bytes. The projector skips an id that was recorded
 * meanwhile, so replaying twice is harmless. When a call fails, what it has appended is marked or comes again.
 */
export class ParkedReplay {
  constructor(
    private readonly parked: ParkedRecords,
    private readonly durableLog: () => Promise<DurableLog>,
  ) {}

  /**
   * Replays the named records, also those that were replayed before. Without a workspace they may be any's.
   * @throws SluiceError `log_unavailable`, `overloaded`, `read_model_unavailable`
   */
  async replayIds(parkedIds: readonly number[], workspaceId?: number): Promise<ReplayReport> {
    const wanted = [...new Set(parkedIds)].sort((a, b) => a - b);
    const results: ReplayOutcome[] = [];
    for (let from = wanted.shift(); from !== undefined; from = wanted.shift()) {
      // Reading on from a wanted id brings its neighbours along; every read settles one id at least.
      const ids = new Set([from]);
      const records = await this.list(from - 1, PAGE_RECORDS, workspaceId);
      const last = records.length < PAGE_RECORDS ? Infinity : (records.at(-1)?.parkedId ?? Infinity);
      while (wanted[0] !== undefined && wanted[0] <= last) ids.add(wanted.shift() ?? from);
      const found = records.filter(({ parkedId }) => ids.has(parkedId));
      const replayed = new Map((await this.replay(found)).map((result) => [result.parkedId, result]));
      for (const parkedId of ids) results.push(replayed.get(parkedId) ?? { parkedId, outcome: 'not_found' });
    }
    return { results };
  }

  /** Replays what comes after an id and was never replayed, until `MAX_REPLAYED_RECORDS` were looked at. */
  async replayAll(after: number, workspaceId?: number): Promise<ReplayReport> {
    const results: ReplayOutcome[] = [];
    let place = after;
    for (let seen = 0; seen < MAX_REPLAYED_RECORDS; seen += PAGE_RECORDS) {
      const records = await this.list(place, PAGE_RECORDS, workspaceId);
      results.push(...(await this.replay(records.filter(({ replayedAt }) => replayedAt === undefined))));
      place = records.at(-1)?.parkedId ?? place;
      if (records.length < PAGE_RECORDS) return { results };
    }
    return { results, nextAfter: place };
  }

  private list(afterId: number, limit: number, workspaceId?: number): Promise<readonly StoredParkedRecord[]> {
    return this.parked.list({ afterId, limit, ...(workspaceId === undefined ? {} : { workspaceId }) });
  }

  private async replay(records: readonly StoredParkedRecord[]): Promise<ReplayOutcome[]> {
    const events = new Map<number, EncodedEnvelope>();
    for (const record of records) {
      const event = toEnvelope(record);
      if (event) events.set(record.parkedId, event);
    }
    if (events.size > 0) {
      const log = await this.durableLog();
      await log.append([...events.values()]);
      await this.parked.markReplayed([...events.keys()]);
    }
    return records.map(({ parkedId, reason }) =>
      events.has(parkedId) ? { parkedId, outcome: 'replayed' } : { parkedId, outcome: 'not_replayable', reason },
    );
  }
}

/** The record as an envelope with its own bytes as text; undefined when it is none. */
function toEnvelope({ value, workspaceId }: StoredParkedRecord): EncodedEnvelope | undefined {
  if (value.byteLength > MAX_EVENT_BYTES) return undefined;
  try {
    const json = decodeUtf8(value);
    const event = eventEnvelopeSchema.parse(JSON.parse(json));
    // Whether the caller may replay it was judged by the stored number.
    return event.workspaceId === (workspaceId ?? event.workspaceId) ? { event, json } : undefined;
  } catch {
    return undefined;
  }
}
