import type { AddedSessionEvent, SessionEventChange } from './session-event-change';

/** Folds changes, in position order, into one for each session. One that is alone is what it comes to. */
export function mergeSessionEvents(changes: readonly SessionEventChange[]): readonly SessionEventChange[] {
  const folds = new Map<string, SessionEventChange | SessionFold>();
  for (const change of changes) {
    const key = JSON.stringify([change.workspaceId, change.sessionId]);
    const before = folds.get(key);
    if (before === undefined) folds.set(key, change);
    else if (before instanceof SessionFold) before.add(change);
    else folds.set(key, new SessionFold(before).add(change));
  }
  return [...folds.values()].map((one) => (one instanceof SessionFold ? one.result() : one));
}

class SessionFold {
  private readonly processed = new Map<string, number>();
  private readonly added = new Map<string, AddedSessionEvent>();

  constructor(private readonly first: SessionEventChange) {
    this.add(first);
  }

  add({ processed, added }: SessionEventChange): this {
    for (const [id, processedAtMs] of processed) this.process(id, processedAtMs);
    for (const event of added) if (!this.added.has(event.id)) this.added.set(event.id, event);
    return this;
  }

  result(): SessionEventChange {
    return { ...this.first, processed: this.processed, added: [...this.added.values()] };
  }

  /** Also of one that was added here: it may be the second of its id, and then the first one is meant. */
  private process(id: string, processedAtMs: number): void {
    if (!this.processed.has(id)) this.processed.set(id, processedAtMs);
    const event = this.added.get(id);
    if (event?.processedAtMs === null) this.added.set(id, { ...event, processedAtMs });
  }
}
