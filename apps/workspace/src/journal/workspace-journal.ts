import type { EventFeed, FoundEvents } from '@sluice/delivery';
import { SluiceError, type DurableLog, type RecordedEventReader } from '@sluice/event-log';
import type {
  EventEnvelope,
  Position,
  RecordedEvent,
  WorkspaceEventData,
  WorkspaceEventType,
} from '@sluice/event-schema';
import type { Clock } from '../clock';
import type { WorkspaceSignals } from '../signals';
import { MAX_TIMER_MS } from '../timers';
import { keyedEventId, type CommandScope } from './command-scope';
import { UnreadChanges, type UnreadChange } from './unread-changes';
import type { WorkspaceDraft } from './workspace-draft';
import { encodeDrafts, FAMILY } from './workspace-envelopes';

/** How long a run waits in the background until it is known whether it is ours to run. */
const OWNERSHIP_WAIT_MS = 60_000;

/** What became of an append. */
export interface Written {
  /** As they were appended, in the order of the drafts. */
  readonly events: readonly EventEnvelope[];
  /** Those that could be read in time, by id: for an id that was taken, what was recorded first. */
  readonly recorded: ReadonlyMap<string, RecordedEvent>;
  /** Ids that were taken by events which are not kept any more: under these nothing is recorded. */
  readonly removed: ReadonlySet<string>;
  /** True when some could not be read in time. They are safe all the same. */
  readonly pending: boolean;
  /** When the first of them occurred: where a repeated command wrote it before, then. */
  readonly occurredAt: number;
  /** Where the first of them is on record, once that can be read. */
  readonly position: Position | undefined;
}

/** An event that an earlier command with the same key wrote. */
export interface EarlierEvent<E extends WorkspaceEventType> {
  readonly data: WorkspaceEventData<E>;
  readonly occurredAt: number;
  readonly position: Position;
}

export type JournalReader = Pick<RecordedEventReader, 'findByIds' | 'removedAmong' | 'findEntity' | 'read'>;

/** Writes the changes of workspaces: into the durable log first, and then waits until they can be read. */
export class WorkspaceJournal {
  private readonly unread: UnreadChanges;

  constructor(
    private readonly log: Pick<DurableLog, 'append'>,
    private readonly feed: Pick<EventFeed, 'expect'>,
    private readonly reader: JournalReader,
    private readonly options: { readonly projectionWaitMs: number },
    private readonly clock: Clock,
    private readonly signals: WorkspaceSignals,
  ) {
    this.unread = new UnreadChanges(signals);
  }

  /**
   * Resolves when the durable log has the events and they can be read, or when the wait for that is over. All events of
   * one call share a correlation id, by which their writer knows them again.
   * @throws SluiceError `idempotency_conflict` when the key of the scope stands for another change, or for one of which
   *   nothing is kept; `invalid_request`, `payload_too_large`, `log_unavailable`, `overloaded`
   */
  async append(
    scope: CommandScope,
    drafts: readonly WorkspaceDraft[],
    waitMs = this.options.projectionWaitMs,
  ): Promise<Written> {
    return (await this.begin(scope, drafts, waitMs)).written;
  }

  /** As `append`, but resolves when the durable log has the events; what it would resolve to is told later. */
  async begin(
    scope: CommandScope,
    drafts: readonly WorkspaceDraft[],
    waitMs = this.options.projectionWaitMs,
  ): Promise<{ readonly written: Promise<Written> }> {
    const encoded = encodeDrafts(scope, drafts, this.clock.now());
    const events = encoded.map(({ event }) => event);
    // Before the append: the projector may be quicker than the answer of the log.
    const expectation = this.feed.expect(events.map(({ id }) => id));
    try {
      await this.log.append(encoded);
    } catch (error) {
      expectation.cancel();
      throw error;
    }
    const written = expectation.within(waitMs).then((found) => this.whenRead(scope, drafts, events, found));
    // It may be a while until somebody looks at it, and a rejection must not go unhandled until then.
    written.catch(() => undefined);
    return { written };
  }

  private whenRead(
    scope: CommandScope,
    drafts: readonly WorkspaceDraft[],
    events: readonly EventEnvelope[],
    { events: recorded, removed }: FoundEvents,
  ): Written {
    const pending = events.some(({ id }) => !recorded.has(id) && !removed.has(id));
    this.signals.appended(events.length, pending);
    if (pending) for (const event of events) this.unread.add(event, scope.commandId);
    drafts.forEach(({ eventId }, index) => {
      // An id that was not derived from the key is of several writers who say it on their own.
      if (scope.key === undefined || eventId !== undefined) return;
      const id = events[index]?.id ?? '';
      const first = recorded.get(id);
      if (first) assertSameCommand(scope, first);
      if (removed.has(id)) throw notKept();
    });
    const [first] = events;
    const { occurredAt } = (first && (recorded.get(first.id) ?? first)) ?? { occurredAt: this.clock.now() };
    return { events, recorded, removed, pending, occurredAt, position: first && recorded.get(first.id)?.position };
  }

  /** Resolves when the durable log has the events; nobody waits to read them. @throws as `append` does */
  async write(scope: CommandScope, drafts: readonly WorkspaceDraft[]): Promise<void> {
    const encoded = encodeDrafts(scope, drafts, this.clock.now());
    await this.log.append(encoded);
    this.signals.appended(encoded.length, false);
  }

  /**
   * Whether an event that was appended is the one on record, where a repeated command may have written it before; not
   * known (undefined) when it cannot be read for long, or any more.
   */
  async isOurs(scope: CommandScope, event: EventEnvelope, written: Written): Promise<boolean | undefined> {
    // A new id is nobody else's.
    if (scope.key === undefined) return true;
    const first = await this.recordedAs(event, written);
    return first && isSameWriting(event, first);
  }

  /** What is on record under the id of an event that was appended; undefined when it cannot be read for long, or any more. */
  async recordedAs({ id }: EventEnvelope, { recorded, removed }: Written): Promise<RecordedEvent | undefined> {
    if (removed.has(id)) return undefined;
    return recorded.get(id) ?? (await this.recorded(id, OWNERSHIP_WAIT_MS));
  }

  /** Whether an id is that of an event on record, or of one that is not kept any more. @throws SluiceError `read_model_unavailable` */
  async isTaken(eventId: string): Promise<boolean> {
    if ((await this.reader.findByIds([eventId])).has(eventId)) return true;
    return (await this.reader.removedAmong([eventId])).has(eventId);
  }

  /** How many events of an entity were ever recorded, kept or not. @throws SluiceError `read_model_unavailable` */
  async eventCount(workspaceId: number, entityId: string): Promise<number> {
    return (await this.reader.findEntity({ workspaceId, family: FAMILY, entityId }))?.eventCount ?? 0;
  }

  /** The newest events of an entity that can be read, the newest first. @throws SluiceError `read_model_unavailable` */
  async newest(
    workspaceId: number,
    entityId: string,
    { limit, ...about }: { readonly limit: number; readonly type?: WorkspaceEventType; readonly upTo?: Position },
  ): Promise<RecordedEvent[]> {
    const { type, upTo } = about;
    const filter = {
      workspaceIds: [workspaceId],
      families: [FAMILY],
      entityIds: [entityId],
      ...(type !== undefined && { types: [type] }),
    } as const;
    const range = upTo === undefined ? {} : { upTo };
    const { events } = await this.reader.read({ filter, ...range, order: 'descending', limit });
    return events.map(({ event }) => event);
  }

  /**
   * The event of an id as soon as it can be read; undefined when it cannot for so long, or any more.
   * @throws SluiceError `overloaded`
   */
  async recorded(eventId: string, waitMs: number): Promise<RecordedEvent | undefined> {
    return (await this.found(eventId, waitMs)).events.get(eventId);
  }

  private found(eventId: string, waitMs: number): Promise<FoundEvents> {
    return this.feed.expect([eventId]).within(Math.min(waitMs, MAX_TIMER_MS));
  }

  /**
   * What a command with the key of the scope wrote before, as far as it can be read; undefined without a key.
   * @throws SluiceError `idempotency_conflict` when the key stands for another command, or for one of which nothing is kept;
   *   `read_model_unavailable`
   */
  async earlier<E extends WorkspaceEventType>(scope: CommandScope, type: E): Promise<EarlierEvent<E> | undefined> {
    const [event] = await this.earlierAll(scope, type, 1);
    return event;
  }

  /** As `earlier`, of a command that writes up to so many events of a type. */
  async earlierAll<E extends WorkspaceEventType>(
    scope: CommandScope,
    type: E,
    most: number,
  ): Promise<EarlierEvent<E>[]> {
    const { workspaceId, key } = scope;
    if (key === undefined) return [];
    const ids = Array.from({ length: most }, (_, ordinal) => keyedEventId(workspaceId, key, type, ordinal));
    const recorded = await this.reader.findByIds(ids);
    const events = ids.flatMap((id) => recorded.get(id) ?? []);
    for (const event of events) assertSameCommand(scope, event);
    const unknown = ids.filter((id) => !recorded.has(id));
    if (unknown.length > 0 && (await this.reader.removedAmong(unknown)).size > 0) throw notKept();
    return events.map(({ data, occurredAt, position }) => ({
      data: data as WorkspaceEventData<E>,
      occurredAt,
      position,
    }));
  }

  /**
   * Whether what this process wrote about an entity can be read, at the latest after the wait.
   * @throws SluiceError `read_model_unavailable`, `overloaded`
   */
  async hasCaughtUp(workspaceId: number, entityId: string, waitMs: number): Promise<boolean> {
    const change = this.unread.of(workspaceId, entityId);
    if (!change) return true;
    // One that is not kept any more was read: what it changed is there.
    const isRead = (await this.isTaken(change.eventId)) || (waitMs > 0 && (await this.comesToLight(change, waitMs)));
    if (isRead) this.unread.remove(workspaceId, entityId, change);
    return isRead;
  }

  private async comesToLight({ eventId }: UnreadChange, waitMs: number): Promise<boolean> {
    const { events, removed } = await this.found(eventId, waitMs);
    return events.size + removed.size > 0;
  }

  /** Whether the newest change of an entity that cannot be read yet is that of this very command. */
  isUnread({ workspaceId, commandId }: CommandScope, entityId: string): boolean {
    return commandId !== undefined && this.unread.of(workspaceId, entityId)?.commandId === commandId;
  }
}

/** Whether a recorded event was written by this very call, not by an earlier one with the same id. */
export function isSameWriting(event: EventEnvelope, recorded: EventEnvelope): boolean {
  return event.correlationId === recorded.correlationId;
}

const KEY = { where: 'headers.idempotency-key' };

/** What a command asked for is the cause of all that it wrote. */
function assertSameCommand({ commandId }: CommandScope, first: EventEnvelope): void {
  if (first.causationId === commandId) return;
  throw new SluiceError('idempotency_conflict', 'This idempotency key was used for another change', KEY);
}

/** It cannot be told whether it was the same command, nor what it answered; and its ids are taken. */
function notKept(): SluiceError {
  return new SluiceError(
    'idempotency_conflict',
    'This idempotency key was used, and what it did is not kept any more',
    KEY,
  );
}
