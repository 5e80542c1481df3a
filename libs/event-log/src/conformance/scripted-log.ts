import type { EncodedEnvelope } from '@sluice/event-schema';
import type { CheckpointMove, Lane, LaneCheckpoints } from '../ports/durable-log';
import type { ParkedRecord, RecordBatch } from '../ports/read-model';
import type { RebuildBatch, RebuildEvent, RebuildWork } from '../ports/read-model-rebuild';

type Entry =
  | { readonly kind: 'event'; readonly event: RebuildEvent }
  | { readonly kind: 'parked'; readonly parked: ParkedRecord }
  | { readonly kind: 'erased' };

/** Records of a durable log, already decoded, as a list for each lane. */
export class ScriptedLog {
  private readonly lanes = new Map<Lane, Entry[]>();
  private readonly firsts = new Map<Lane, number>();

  append(lane: number, ...envelopes: readonly EncodedEnvelope[]): void {
    for (const envelope of envelopes) {
      const { entries, place } = this.end(lane);
      entries.push({ kind: 'event', event: { ...place, envelope } });
    }
  }

  /** A record that cannot become an event. */
  appendPoison(lane: number, text: string): void {
    const { entries, place } = this.end(lane);
    const value = new TextEncoder().encode(text);
    entries.push({ kind: 'parked', parked: { ...place, value, reason: 'not_json', detail: 'no JSON' } });
  }

  /** Forgets the records of a lane below an index, as retention does. */
  forget(lane: number, below: number): void {
    this.firsts.set(lane as Lane, below);
  }

  /** Each event becomes what it is to be by now, or is gone; its place stays. */
  rewrite(change: (envelope: EncodedEnvelope) => EncodedEnvelope | undefined): void {
    for (const entries of this.lanes.values()) {
      for (const [n, entry] of entries.entries()) {
        if (entry.kind !== 'event') continue;
        const envelope = change(entry.event.envelope);
        entries[n] = envelope ? { kind: 'event', event: { ...entry.event, envelope } } : { kind: 'erased' };
      }
    }
  }

  private end(lane: number) {
    const entries = this.lanes.get(lane as Lane) ?? [];
    this.lanes.set(lane as Lane, entries);
    return { entries, place: { lane: lane as Lane, index: entries.length } };
  }

  get starts(): LaneCheckpoints {
    return new Map([...this.lanes.keys()].map((lane) => [lane, this.firsts.get(lane) ?? 0]));
  }

  get ends(): LaneCheckpoints {
    return new Map([...this.lanes].map(([lane, entries]) => [lane, entries.length]));
  }

  /** At most so many records of each lane from the checkpoints on; undefined when there is none. */
  batchFrom(checkpoints: LaneCheckpoints, mostOfEachLane = Infinity): RebuildBatch | undefined {
    const events: RebuildEvent[] = [];
    const parked: ParkedRecord[] = [];
    const reached = new Map<Lane, CheckpointMove>();
    for (const [lane, entries] of this.lanes) {
      const from = Math.max(checkpoints.get(lane) ?? 0, this.firsts.get(lane) ?? 0);
      const taken = entries.slice(from, from + mostOfEachLane);
      if (taken.length > 0) reached.set(lane, { from: checkpoints.get(lane) ?? 0, to: from + taken.length });
      for (const entry of taken) {
        if (entry.kind === 'event') events.push(entry.event);
        else if (entry.kind === 'parked') parked.push(entry.parked);
      }
    }
    return reached.size === 0 ? undefined : { events, parked, checkpoints: reached };
  }

  /** What a recorder is given of one lane: as `batchFrom`. */
  recordBatch(lane: number, from: number, to = Infinity): RecordBatch {
    const entries = (this.lanes.get(lane as Lane) ?? []).slice(from, to);
    return {
      envelopes: entries.flatMap((entry) => (entry.kind === 'event' ? [entry.event.envelope] : [])),
      parked: entries.flatMap((entry) => (entry.kind === 'parked' ? [entry.parked] : [])),
      checkpoints: new Map([[lane as Lane, { from, to: from + entries.length }]]),
    };
  }

  /** Brings over all that can be brought, so many records of each lane at a time, and projects it. */
  async bringTo(work: RebuildWork, mostOfEachLane = 3): Promise<void> {
    for (;;) {
      const checkpoints = await work.loadCheckpoints([...this.lanes.keys()]);
      const batch = this.batchFrom(checkpoints, mostOfEachLane);
      const reached = batch ? await work.copy(batch) : new Map<Lane, number>();
      const advanced = [...reached].some(([lane, next]) => next > (checkpoints.get(lane) ?? 0));
      const projected = await work.project();
      if (!advanced && projected === 0) return;
    }
  }
}
