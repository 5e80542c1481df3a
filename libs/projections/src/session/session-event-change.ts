import type { EventData, Position } from '@sluice/event-schema';

/** An event that enters a session's history. */
export interface AddedSessionEvent {
  readonly position: Position;
  /** As clients know it. Where the session has it already, the first one counts. */
  readonly id: string;
  readonly type: string;
  /** Null while it waits for its run. */
  readonly processedAtMs: number | null;
  /** As it was recorded: of the recorded event, never of this change's own. */
  readonly data: EventData;
}

/** What one or several events mean for the history of one session: `processed` comes first, then `added`. */
export interface SessionEventChange {
  readonly kind: 'session_event';
  readonly workspaceId: number;
  readonly sessionId: string;
  /** When events that were there before got processed, by id. It means nothing for one that has a time already, or is not there. */
  readonly processed: ReadonlyMap<string, number>;
  /** In position order; no id twice. */
  readonly added: readonly AddedSessionEvent[];
}
