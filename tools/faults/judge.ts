import type { Mark } from './mark';
import type { Sightings } from './sightings';

/** What the writers did: what was acknowledged to them, and how many events of each entity they tried to store. */
export interface Written {
  readonly acknowledged: ReadonlyMap<string, readonly number[]>;
  readonly attempted: ReadonlyMap<string, number>;
}

/** One place that broke the rule, and how. */
export interface Verdict {
  readonly place: string;
  /** Acknowledged and not shown. */
  readonly lost: number;
  /** Shown once more than once. */
  readonly doubled: number;
  /** Shown for the first time after a later event of its entity. */
  readonly misordered: number;
  /** Shown though nobody tried to store it, or though the place is not to show its entity. */
  readonly invented: number;
  /** Some of them, for a report. */
  readonly examples: readonly string[];
}

const MAX_EXAMPLES = 5;

/**
 * The rule: every acknowledged event exactly once and in the order of its entity, every other one at most once.
 *
 * @param shown what the place showed
 * @param entities those that the place shows
 */
export function judge(written: Written, shown: Sightings, entities: readonly string[]): Verdict {
  const examples: string[] = [];
  const note = (what: string, { entity, n }: Mark): void => {
    if (examples.length < MAX_EXAMPLES) examples.push(`${what} ${entity}:${n}`);
  };
  let [lost, doubled, misordered, invented] = [0, 0, 0, 0];
  for (const entity of entities) {
    for (const n of written.acknowledged.get(entity) ?? []) {
      if (shown.timesOf({ entity, n }) > 0) continue;
      lost++;
      note('lost', { entity, n });
    }
    misordered += shown.misorderedOf(entity);
    if (shown.misorderedOf(entity) > 0) examples.push(`misordered ${entity}`);
  }
  for (const entity of shown.names()) {
    const attempted = entities.includes(entity) ? (written.attempted.get(entity) ?? 0) : 0;
    for (let n = 0; n < shown.sizeOf(entity); n++) {
      const times = shown.timesOf({ entity, n });
      if (times > 1) note('doubled', { entity, n });
      doubled += Math.max(0, times - 1);
      if (times === 0 || n < attempted) continue;
      invented++;
      note('invented', { entity, n });
    }
  }
  return { place: shown.place, lost, doubled, misordered, invented, examples };
}

export function isClean({ lost, doubled, misordered, invented }: Verdict): boolean {
  return lost + doubled + misordered + invented === 0;
}
