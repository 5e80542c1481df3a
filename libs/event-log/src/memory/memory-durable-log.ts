import { entityKey, type EncodedEnvelope } from '@sluice/event-schema';
import { SluiceError } from '../errors';
import type { DurableLog, FollowLogOptions, Lane, LaneCheckpoints, LogFollower, LogRecord } from '../ports/durable-log';
import { FollowLoop } from '../follow-loop';

export interface MemoryDurableLogOptions {
  readonly lanes?: number;
}

/** DurableLog in the memory of one process: for tests, and the readable specification of the port. */
export class MemoryDurableLog implements DurableLog {
  private readonly lanes: LogRecord[][];
  private readonly loops = new Map<FollowLoop, string>();
  private closed = false;

  constructor({ lanes = 4 }: MemoryDurableLogOptions = {}) {
    this.lanes = Array.from({ length: lanes }, () => []);
  }

  append(events: readonly EncodedEnvelope[]): Promise<void> {
    for (const { event, json } of events) this.appendRaw(entityKey(event), new TextEncoder().encode(json));
    return this.check();
  }

  /** Stores bytes as they are, as a foreign producer might. */
  appendRaw(key: string, value: Uint8Array): void {
    if (this.closed) return;
    const lane = laneOf(key, this.lanes.length);
    const records = this.lanes[lane] ?? [];
    records.push({ lane, index: records.length, value, appendedAt: Date.now() });
    for (const loop of this.loops.keys()) loop.wake();
  }

  /** The first follower of a group has all lanes; the others stand by until it stops. */
  follow(options: FollowLogOptions): Promise<LogFollower> {
    const { group } = options;
    const isActive = () => [...this.loops].find(([, name]) => name === group)?.[0] === loop;
    const loop = new FollowLoop(
      options,
      async (checkpoints) => {
        if (!isActive()) return [];
        return this.lanes.flatMap((records, lane) => records.slice(checkpoints.get(lane as Lane) ?? 0));
      },
      this.lanes.map((_, lane) => lane as Lane),
    );
    this.loops.set(loop, group);
    loop.start();
    return Promise.resolve({
      stop: async () => {
        await loop.stop();
        this.loops.delete(loop);
        for (const other of this.loops.keys()) other.takeOver();
      },
    });
  }

  ends(): Promise<LaneCheckpoints> {
    return Promise.resolve(new Map(this.lanes.map((records, lane) => [lane as Lane, records.length])));
  }

  starts(): Promise<LaneCheckpoints> {
    return Promise.resolve(new Map(this.lanes.map((_, lane) => [lane as Lane, 0])));
  }

  check(): Promise<void> {
    if (this.closed) return Promise.reject(new SluiceError('log_unavailable', 'The log is closed'));
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.loops.keys()].map((loop) => loop.stop()));
    this.loops.clear();
  }
}

/** FNV-1a: any stable hash will do, as long as one entity stays in one lane. */
function laneOf(key: string, lanes: number): Lane {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return ((hash >>> 0) % lanes) as Lane;
}
