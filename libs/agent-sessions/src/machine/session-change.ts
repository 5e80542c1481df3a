import type { Decision, DecisionContext } from '../decision';
import type { SessionEventBody } from '../session-event';
import type { AgentSessionStatus, RunDispatch, SessionEventDraft, SessionState } from '../session-state';

/** What an event that is to be appended has besides id, type and time. */
interface EventOptions {
  /** A fresh one by default. */
  readonly id?: string;
  readonly runId?: string;
  readonly processedInputs?: readonly string[];
  /** It waits: it has no time yet. */
  readonly isQueued?: boolean;
}

/** A command in the making: the state as it evolves, and what follows from it. Thrown away when the command is refused. */
export class SessionChange {
  private readonly drafts: SessionEventDraft[] = [];
  private readonly told: RunDispatch[] = [];
  private readonly time: string;
  /** Never before what happened last, though clocks of replicas differ: the times of a session rise with its events. */
  readonly nowMs: number;

  constructor(
    public state: SessionState,
    readonly ctx: DecisionContext,
  ) {
    this.nowMs = Math.max(ctx.nowMs, state.updatedAtMs);
    this.time = new Date(this.nowMs).toISOString();
  }

  set(fields: Partial<SessionState>): void {
    this.state = { ...this.state, ...fields };
  }

  /** Changes the status, and counts the time that was spent running. */
  enter(status: AgentSessionStatus): void {
    if (status === this.state.status) return;
    this.set({ status, activeMs: activeMsAt(this.state, this.nowMs), statusSinceMs: this.nowMs });
  }

  /** Appends an event, and gives its id. */
  emit(type: string, fields: Readonly<Record<string, unknown>>, options: EventOptions = {}): string {
    const { id = this.ctx.newId('sevt'), runId, processedInputs, isQueued = false } = options;
    const body: SessionEventBody = { ...fields, id, type, processed_at: isQueued ? null : this.time };
    this.drafts.push({
      body,
      ...(runId === undefined ? {} : { runId }),
      ...(processedInputs === undefined || processedInputs.length === 0 ? {} : { processedInputs }),
    });
    return id;
  }

  /** Says that inputs are processed now. Gives those that were appended by earlier commands: theirs is another's to show. */
  process(inputIds: readonly string[]): readonly string[] {
    return inputIds.filter((id) => {
      const index = this.drafts.findIndex((draft) => draft.body.id === id);
      const draft = this.drafts[index];
      if (draft === undefined) return true;
      this.drafts[index] = { ...draft, body: { ...draft.body, processed_at: this.time } };
      return false;
    });
  }

  /** Tells an engine, after the event that was emitted last. */
  dispatch(dispatch: RunDispatch): void {
    const said = this.drafts.at(-1);
    this.told.push(said === undefined ? dispatch : { ...dispatch, afterEventId: said.body.id });
  }

  /** Whether an event of this id is among those of this change. */
  has(eventId: string): boolean {
    return this.drafts.some((draft) => draft.body.id === eventId);
  }

  /** The type of an event that the session has, or gets by this change; only of those that the command names. */
  typeOf(eventId: string): string | undefined {
    return this.drafts.find((draft) => draft.body.id === eventId)?.body.type ?? this.ctx.knownEvents.get(eventId);
  }

  accept(): Decision {
    return {
      kind: 'accepted',
      state: { ...this.state, updatedAtMs: this.nowMs },
      events: this.drafts,
      dispatches: this.told,
    };
  }

  /** The session ends with this change. */
  acceptDeletion(): Decision {
    return { kind: 'accepted', state: undefined, events: this.drafts, dispatches: this.told };
  }
}

/** How long the session was running until then. */
export function activeMsAt(state: SessionState, nowMs: number): number {
  const present = state.status === 'running' ? Math.max(0, nowMs - state.statusSinceMs) : 0;
  return state.activeMs + present;
}
