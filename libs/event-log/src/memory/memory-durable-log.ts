import { entityKey, type EncodedEnvelope } from '@sluice/event-schema';
import { SluiceError } from '../errors';
import type {
  ByteLog,
  DurableLog,
  FollowLogOptions,
  Lane,
  LaneCheckpoints,
  LogEntry,
  LogFollower,
  LogRecord,
} from '../ports/durable-log';
import { FollowLoop } from '../follow-loop';
import { MemoryLane } from './memory-lane';
import { MemoryLogErasure } from './memory-log-erasure';

export interface MemoryDurableLogOptions {
  readonly lanes?: number;
}

/** DurableLog in the memory of one process: for tests, and the readable specification of the port. */
export class MemoryDurableLog implements DurableLog, ByteLog {
  readonly erasure: MemoryLogErasure;
  private readonly lanes: readonly MemoryLane[];
  private readonly loops = new Map<FollowLoop, string>();
  private closed = false;

  constructor({ lanes = 4 }: MemoryDurableLogOptions = {}) {
    this.lanes = Array.from({ length: lanes }, (_, lane) => new MemoryLane(lane as Lane));
    this.erasure = new MemoryLogErasure(this.lanes, (events) => this.append(events));
  }

  append(events: readonly EncodedEnvelope[]): Promise<void> {
    return this.appendEntries(
      events.map(({ event, json }) => ({ key: entityKey(event), value: new TextEncoder().encode(json) })),
    );
  }

  appendEntries(entries: readonly LogEntry[]): Promise<void> {
    for (const { key, value } of entries) this.appendRaw(key, value);
    return this.check();
  }

  /** Stores bytes as they are, as a foreign producer might. */
  appendRaw(key: string, value: Uint8Array): void {
    if (this.closed) return;
    this.lanes[hashOf(key) % this.lanes.length]?.append(value);
    for (const loop of this.loops.keys()) loop.wake();
  }

  /** The first follower of a group has all lanes; the others stand by until it stops. */
  follow(options: FollowLogOptions): Promise<LogFollower> {
    const { group } = options;
    const isActive = () => [...this.loops].find(([, name]) => name === group)?.[0] === loop;
    const loop = new FollowLoop(
      options,
      {
        read: async (checkpoints): Promise<readonly LogRecord[] | undefined> =>
          isActive() ? this.lanes.flatMap((lane) => lane.from(checkpoints.get(lane.lane) ?? 0)) : undefined,
        ends: () => this.ends(),
      },
      this.lanes.map(({ lane }) => lane),
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
    return Promise.resolve(new Map(this.lanes.map(({ lane, end }) => [lane, end])));
  }

  starts(): Promise<LaneCheckpoints> {
    return Promise.resolve(new Map(this.lanes.map(({ lane, start }) => [lane, start])));
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
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
