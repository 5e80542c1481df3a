import type { EventFeed } from '@sluice/delivery';
import { SluiceError, type DurableLog, type RecordedEventReader } from '@sluice/event-log';
import {
  encodeEnvelope,
  eventCatalogue,
  eventEnvelopeSchema,
  MAX_EVENT_BYTES,
  newEventId,
  workspaceEventDataSchema,
  type EncodedEnvelope,
  type EventEnvelope,
  type Position,
  type RecordedEvent,
  type WorkspaceEventData,
  type WorkspaceEventType,
} from '@sluice/event-schema';
import type { Clock } from '../clock';
import type { WorkspaceSignals } from '../signals';
import { MAX_TIMER_MS } from '../timers';
import { keyedEventId, type CommandScope } from './command-scope';
import { UnreadChanges } from './unread-changes';
import type { WorkspaceDraft } from './workspace-draft';

const FAMILY = 'workspace';

/** How long a run waits in the background until it is known whether it is ours to run. */
const OWNERSHIP_WAIT_MS = 60_000;

/** What became of an append. */
export interface Written {
  /** As they were appended, in the order of the drafts. */
  readonly events: readonly EventEnvelope[];
  /** Those that could be read in time, by id: for an id that was taken, what was recorded first. */
  readonly recorded: ReadonlyMap<string, RecordedEvent>;
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

/** Writes the changes of workspaces: into the durable log first, and then waits until they can be read. */
export class WorkspaceJournal {
  private readonly unread: UnreadChanges;

  constructor(
    private readonly log: Pick<DurableLog, 'append'>,
    private readonly feed: Pick<EventFeed, 'expect'>,
    private readonly reader: Pick<RecordedEventReader, 'findByIds' | 'read'>,
    private readonly options: { readonly projectionWaitMs: number },
    private readonly clock: Clock,
    private readonly signals: WorkspaceSignals,
  ) {
    this.unread = new UnreadChanges(signals);
  }

  /**
   * Resolves when the durable log has the events and they can be read, or when the wait for that is over. All events of
   * one call share a correlation id, by which their writer knows them again.
   * @throws SluiceError `idempotency_conflict` when the key of the scope stands for another change, `invalid_request`,
   *   `payload_too_large`, `log_unavailable`, `overloaded`
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
    const encoded = this.encode(scope, drafts);
    const events = encoded.map(({ event }) => event);
    // Before the append: the projector may be quicker than the answer of the log.
    const expectation = this.feed.expect(events.map(({ id }) => id));
    try {
      await this.log.append(encoded);
    } catch (error) {
      expectation.cancel();
      throw error;
    }
    const written = expectation.within(waitMs).then((recorded) => this.whenRead(scope, drafts, events, recorded));
    // It may be a while until somebody looks at it, and a rejection must not go unhandled until then.
    written.catch(() => undefined);
    return { written };
  }

  private whenRead(
    scope: CommandScope,
    drafts: readonly WorkspaceDraft[],
    events: readonly EventEnvelope[],
    recorded: ReadonlyMap<string, RecordedEvent>,
  ): Written {
    const pending = events.some(({ id }) => !recorded.has(id));
    this.signals.appended(events.length, pending);
    if (pending) for (const event of events) this.unread.add(event, scope.commandId);
    drafts.forEach(({ eventId }, index) => {
      const first = recorded.get(events[index]?.id ?? '');
      // An id that was not derived from the key is of several writers who say it on their own.
      if (scope.key !== undefined && eventId === undefined && first) assertSameCommand(scope, first);
    });
    const [first] = events;
    const { occurredAt } = (first && (recorded.get(first.id) ?? first)) ?? { occurredAt: this.clock.now() };
    return { events, recorded, pending, occurredAt, position: first && recorded.get(first.id)?.position };
  }

  /** Resolves when the durable log has the events; nobody waits to read them. @throws as `append` does */
  async write(scope: CommandScope, drafts: readonly WorkspaceDraft[]): Promise<void> {
    const encoded = this.encode(scope, drafts);
    await this.log.append(encoded);
    this.signals.appended(encoded.length, false);
  }

  /**
   * Whether an event that was appended is the one on record, where a repeated command may have written it before; not
   * known (undefined) when it cannot be read for long.
   */
  async isOurs(scope: CommandScope, event: EventEnvelope, written: Written): Promise<boolean | undefined> {
    // A new id is nobody else's.
    if (scope.key === undefined) return true;
    const first = await this.recordedAs(event, written);
    return first && isSameWriting(event, first);
  }

  /** What is on record under the id of an event that was appended; undefined when it cannot be read for long. */
  async recordedAs({ id }: EventEnvelope, { recorded }: Written): Promise<RecordedEvent | undefined> {
    return recorded.get(id) ?? (await this.recorded(id, OWNERSHIP_WAIT_MS));
  }

  /** Whether an event can be read by now. @throws SluiceError `read_model_unavailable` */
  async isRecorded(eventId: string): Promise<boolean> {
    return (await this.reader.findByIds([eventId])).has(eventId);
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

  /** The event of an id as soon as it can be read; undefined when it cannot for so long. @throws SluiceError `overloaded` */
  async recorded(eventId: string, waitMs: number): Promise<RecordedEvent | undefined> {
    const expectation = this.feed.expect([eventId]);
    return (await expectation.within(Math.min(waitMs, MAX_TIMER_MS))).get(eventId);
  }

  /**
   * What a command with the key of the scope wrote before, as far as it can be read; undefined without a key.
   * @throws SluiceError `idempotency_conflict` when the key stands for another command, `read_model_unavailable`
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
    const found = await this.reader.findByIds([change.eventId]);
    const isRead = found.size > 0 || (waitMs > 0 && (await this.recorded(change.eventId, waitMs)) !== undefined);
    if (isRead) this.unread.remove(workspaceId, entityId, change);
    return isRead;
  }

  /** Whether the newest change of an entity that cannot be read yet is that of this very command. */
  isUnread({ workspaceId, commandId }: CommandScope, entityId: string): boolean {
    return commandId !== undefined && this.unread.of(workspaceId, entityId)?.commandId === commandId;
  }

  private encode(scope: CommandScope, drafts: readonly WorkspaceDraft[]): EncodedEnvelope[] {
    const correlationId = newEventId();
    const occurredAt = this.clock.now();
    const ordinals = new Map<string, number>();
    return drafts.map((draft) => {
      const ordinal = ordinals.get(draft.type) ?? 0;
      ordinals.set(draft.type, ordinal + 1);
      return encodeChecked({
        id: draft.eventId ?? eventIdOf(scope, draft.type, ordinal),
        family: FAMILY,
        entityId: draft.entityId,
        workspaceId: scope.workspaceId,
        type: draft.type,
        schemaVersion: eventCatalogue.currentVersion(FAMILY, draft.type),
        occurredAt,
        data: draft.data,
        correlationId,
        ...(scope.commandId !== undefined && { causationId: scope.commandId }),
        ...(scope.traceparent !== undefined && { traceparent: scope.traceparent }),
      });
    });
  }
}

/** Whether a recorded event was written by this very call, not by an earlier one with the same id. */
export function isSameWriting(event: EventEnvelope, recorded: EventEnvelope): boolean {
  return event.correlationId === recorded.correlationId;
}

function eventIdOf({ workspaceId, key }: CommandScope, type: string, ordinal: number): string {
  return key === undefined ? newEventId() : keyedEventId(workspaceId, key, type, ordinal);
}

/** What is acknowledged must never be parked by the projector, so it is checked as a whole. */
function encodeChecked(envelope: EventEnvelope): EncodedEnvelope {
  const parsed = eventEnvelopeSchema.safeParse(envelope);
  const data = workspaceEventDataSchema(envelope.type as WorkspaceDraft['type']).safeParse(envelope.data);
  const issue = parsed.error?.issues[0] ?? data.error?.issues[0];
  if (issue) {
    const where = ['body', ...issue.path.map(String)].join('.');
    throw new SluiceError('invalid_request', `${where}: ${issue.message}`, { where });
  }
  const encoded = encodeEnvelope(envelope);
  if (encoded.json.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(encoded.json) > MAX_EVENT_BYTES) {
    throw new SluiceError('payload_too_large', `An event is at most ${MAX_EVENT_BYTES} bytes when encoded`, {
      where: 'body',
    });
  }
  return encoded;
}

/** What a command asked for is the cause of all that it wrote. */
function assertSameCommand({ commandId }: CommandScope, first: EventEnvelope): void {
  if (first.causationId === commandId) return;
  throw new SluiceError('idempotency_conflict', 'This idempotency key was used for another change', {
    where: 'headers.idempotency-key',
  });
}
