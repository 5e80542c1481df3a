import type { Mark } from './mark';

const FIRST_SIZE = 256;
const MOST_TIMES = 255;

/** How often each number of one entity was seen, a byte each, so that a run of half an hour fits into memory. */
class EntitySightings {
  misordered = 0;
  /** The smallest number that was not seen: all before it were. */
  next = 0;
  private highest = -1;
  private times = new Uint8Array(FIRST_SIZE);

  add(n: number): void {
    while (n >= this.times.length) {
      const larger = new Uint8Array(this.times.length * 2);
      larger.set(this.times);
      this.times = larger;
    }
    const before = this.timesOf(n);
    this.times[n] = Math.min(before + 1, MOST_TIMES);
    if (before === 0 && n < this.highest) this.misordered++;
    this.highest = Math.max(this.highest, n);
    while (this.timesOf(this.next) > 0) this.next++;
  }

  timesOf(n: number): number {
    return this.times[n] ?? 0;
  }

  get size(): number {
    return this.highest + 1;
  }
}

/** What one place, such as a subscriber or the store, has shown, in the order in which it did. */
export class Sightings {
  private readonly entities = new Map<string, EntitySightings>();

  /** @param place its name in a report */
  constructor(readonly place: string) {}

  add({ entity, n }: Mark): void {
    let own = this.entities.get(entity);
    if (!own) this.entities.set(entity, (own = new EntitySightings()));
    own.add(n);
  }

  names(): readonly string[] {
    return [...this.entities.keys()];
  }

  /** How often the event was shown. */
  timesOf({ entity, n }: Mark): number {
    return this.entities.get(entity)?.timesOf(n) ?? 0;
  }

  /** Whether this event and all before it were shown. */
  hasUpTo({ entity, n }: Mark): boolean {
    return (this.entities.get(entity)?.next ?? 0) > n;
  }

  /** How many events of the entity were shown for the first time after a later one. */
  misorderedOf(entity: string): number {
    return this.entities.get(entity)?.misordered ?? 0;
  }

  /** One more than the highest number that was shown. */
  sizeOf(entity: string): number {
    return this.entities.get(entity)?.size ?? 0;
  }
}
