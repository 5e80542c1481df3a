import type { Decision, DecisionContext, SessionCommit, SessionEventBody, SessionState } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { toCommitReceipt, type CommandReceipt } from './command-receipt';
import { toEnvelope } from './session-envelopes';

/** Which session a call is on, and by what it is known when it comes again. */
export interface SessionCall {
  readonly workspaceId: number;
  readonly sessionId: string;
  readonly receipt?: CommandReceipt | undefined;
}

/** A command that makes its session. */
export interface NewSessionCommand extends SessionCall {
  readonly traceparent?: string | undefined;
  /** What it makes beside events, so that its repetition knows that again. */
  readonly subject?: string;
  decide(context: DecisionContext): Decision;
  /** Told when it is sure that this call stores nothing: it is refused, or it repeats another one. */
  onDropped?(): Promise<void>;
}

export interface SessionCommand extends Omit<NewSessionCommand, 'decide'> {
  /** The ids of events that deciding has to know about. */
  readonly referenced?: readonly string[];
  decide(state: SessionState, context: DecisionContext): Decision;
}

/** What is known once a command was taken: it is in the log and in the read model. */
export interface CommandResult {
  /** Undefined when the session was deleted. */
  readonly state: SessionState | undefined;
  /** What it stored, in its order, as far as it is kept. */
  readonly events: readonly SessionEventBody[];
  /** Whether all of it is kept. Of what is repeated late retention may have removed some. */
  readonly isKept: boolean;
  readonly isRepeated: boolean;
  /** What it made beside events: the first time, if it is repeated. */
  readonly subject: string | undefined;
}

/** A command, however it is decided. */
export type AnyCommand = Omit<NewSessionCommand, 'decide'>;

/** A command as it was decided, on which version of the session. */
export interface Decided {
  readonly decision: Decision;
  readonly expectedVersion: number;
  readonly before: SessionState | undefined;
  readonly nowMs: number;
}

type Accepted = Extract<Decision, { kind: 'accepted' }>;

/** @throws SluiceError as it is refused */
export function accepted({ decision }: Decided): Accepted {
  if (decision.kind === 'accepted') return decision;
  const { code, message, where } = decision.refusal;
  throw new SluiceError(code, message, where === undefined ? {} : { where });
}

/** All that is to be stored of a command that was accepted. @throws SluiceError as `toEnvelope` */
export function toCommit(command: AnyCommand, decision: Accepted, { expectedVersion, nowMs }: Decided): SessionCommit {
  const { workspaceId, sessionId, receipt, traceparent, subject } = command;
  const scope = { workspaceId, sessionId, nowMs, traceparent };
  const eventIds = decision.events.map(({ body }) => body.id);
  return {
    workspaceId,
    sessionId,
    expectedVersion,
    state: decision.state,
    events: decision.events.map((draft) => toEnvelope(scope, draft)),
    eventIds: decision.events.map(({ body: { id, type } }) => ({ id, type })),
    dispatches: decision.dispatches,
    ...(receipt !== undefined && {
      receipt: toCommitReceipt(receipt, { sessionId, eventIds, ...(subject !== undefined && { subject }) }),
    }),
  };
}
