import type { Lane } from '@sluice/event-log';

/** How far the read model is behind the durable log. */
export interface Lag {
  readonly records: number;
  /** Age of the oldest end of a lane that was seen and is not reached yet; 0 without a lag. */
  readonly ageMs: number;
}

/** The end of a lane, and when it was first seen. */
interface Mark {
  readonly end: number;
  readonly seenAtMs: number;
}

/** Most ends that are remembered of one lane: beyond that later ones are let by, and the age is that of the oldest still. */
const MAX_MARKS = 64;

/** Measures lag from looks at the log's ends and the checkpoints, whoever moves those. */
export class ProjectionLag {
  private readonly marks = new Map<Lane, Mark[]>();

  measure(ends: ReadonlyMap<Lane, number>, checkpoints: ReadonlyMap<Lane, number>, nowMs: number): Lag {
    let records = 0;
    let oldestMs = nowMs;
    for (const [lane, end] of ends) {
      const reached = checkpoints.get(lane) ?? 0;
      records += Math.max(0, end - reached);
      const [oldest] = this.look(lane, end, reached, nowMs);
      if (oldest) oldestMs = Math.min(oldestMs, oldest.seenAtMs);
    }
    return { records, ageMs: nowMs - oldestMs };
  }

  /** The marks of the lane that are not reached, oldest first. */
  private look(lane: Lane, end: number, reached: number, nowMs: number): readonly Mark[] {
    // An end beyond the present one is of a log that was made anew.
    const open = (this.marks.get(lane) ?? []).filter((mark) => mark.end > reached && mark.end <= end);
    if (end > reached && end !== open.at(-1)?.end && open.length < MAX_MARKS) open.push({ end, seenAtMs: nowMs });
    this.marks.set(lane, open);
    return open;
  }
}
