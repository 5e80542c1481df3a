import { BEFORE_FIRST, matchesNothing, type EventFilter } from '@sluice/event-log';
import type { Pauses } from './background';
import { NO_LOSS, type Loss } from './known-removals';
import type { PageReader } from './page-reader';

/** Tells who begins at what is kept what retention has removed until then. */
export class GoneReader {
  constructor(
    private readonly pages: PageReader,
    private readonly pauses: Pauses,
    private readonly waitMs: number,
  ) {}

  /** What is gone of what a filter may match; nothing where that cannot be read within the wait. Never rejects. */
  async read(filter: EventFilter, caller: string): Promise<Loss> {
    if (matchesNothing(filter)) return NO_LOSS;
    const nothing = { after: BEFORE_FIRST, upTo: BEFORE_FIRST, maxBytes: 0, knownRevision: 0 };
    let isWanted = true;
    const read = this.pages.read({ filter, caller, ...nothing }, () => isWanted).catch(() => NO_LOSS);
    const late = this.pauses.pause(this.waitMs).then(() => NO_LOSS);
    return Promise.race([read, late]).finally(() => (isWanted = false));
  }
}
