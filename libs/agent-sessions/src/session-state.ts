import type { SessionEventBody } from './session-event';

/** What a session is doing, as the SDK says it. */
export const AGENT_SESSION_STATUSES = ['idle', 'running', 'rescheduling', 'terminated'] as const;

export type AgentSessionStatus = (typeof AGENT_SESSION_STATUSES)[number];

/** The answers that an agent can wait for. */
export type ActionKind = 'user.tool_confirmation' | 'user.custom_tool_result' | 'user.tool_result';

/** A tool use that waits for an answer of the user before the run goes on. */
export interface PendingAction {
  /** Id of the `agent.*_tool_use` event. */
  readonly eventId: string;
  /** Any one of these answers it. */
  readonly answeredBy: readonly ActionKind[];
}

/**
 * A tool use that only the user can answer, remembered from its report on: so that it is answered once, and that an answer
 * which comes before the run says `requires_action` is known to be one.
 */
export interface TrackedToolUse {
  readonly eventId: string;
  /** The run that reported it, or asked for its answer last. */
  readonly runId: string;
  /** Any one of these answers it. Empty when it has its answer, or needs none any more; its result may follow `allow`. */
  readonly answeredBy: readonly ActionKind[];
}

/** An answer that came before the run asked for it; the engine is told once it asks. */
export interface HeldAnswer {
  readonly toolUseId: string;
  /** The answer, and the `system.message` that came with it. */
  readonly inputIds: readonly string[];
}

/** Where tools run: in `self_hosted` environments the user's side runs them and sends `user.tool_result`. */
export type EnvironmentType = 'cloud' | 'self_hosted';

/** An outcome that the user defined, and what engines said of it. In the form of the SDK. */
export interface OutcomeEvaluation {
  readonly type: 'outcome_evaluation';
  readonly outcome_id: string;
  readonly description: string;
  readonly result: string;
  readonly iteration: number;
  readonly explanation: string | null;
  readonly completed_at: string | null;
}

/** The one run of a session that may report. It stays active through `requires_action` and rescheduling. */
export interface ActiveRun {
  /** `srun_…` */
  readonly id: string;
  /** Which engine works: `built-in`, `process`, `model`, or the id of a registered one (`eng_…`). */
  readonly engine: string;
  /** Signs what the engine reports of this run: `whsec_…`. */
  readonly callbackSecret: string;
  readonly startedAtMs: number;
  /** When it is given up unless its engine reports before; absent while it waits for the user. */
  readonly deadlineMs: number | undefined;
}

/** A run that is over, by which late reports of its engine are still known to be its. */
export type EndedRun = Pick<ActiveRun, 'id' | 'callbackSecret'>;

/** What starts a run, or goes with it. */
export type QueuedInputType = 'user.message' | 'user.define_outcome' | 'system.message';

/** An input that waits for its run. */
export interface QueuedInput {
  readonly eventId: string;
  readonly type: QueuedInputType;
}

/** What an agent was when the session was made, or last changed. In the form of the SDK. */
export interface AgentSnapshot {
  readonly id: string;
  readonly type: 'agent';
  readonly version: number;
  readonly name: string;
  readonly description: string | null;
  readonly model: Readonly<Record<string, unknown>> & { readonly id: string };
  readonly system: string | null;
  readonly tools: readonly Readonly<Record<string, unknown>>[];
  readonly mcp_servers: readonly Readonly<Record<string, unknown>>[];
  readonly skills: readonly Readonly<Record<string, unknown>>[];
  readonly multiagent: Readonly<Record<string, unknown>> | null;
  readonly execution_identity: Readonly<Record<string, unknown>>;
  /** Not shown in the snapshot of the SDK; `engine` names the engine. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A file or a repository that a session has. In the form of the SDK, with its id. */
export type SessionResource = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };

/** Tokens that a session has used. Absent counters were never reported. */
export interface SessionUsage {
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cache_read_input_tokens?: number;
  readonly cache_creation?: {
    readonly ephemeral_1h_input_tokens?: number;
    readonly ephemeral_5m_input_tokens?: number;
  };
}

/** Everything that decides what may happen next in a session, and what is shown of it. */
export interface SessionState {
  readonly workspaceId: number;
  /** `sesn_…` */
  readonly id: string;
  readonly title: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly agent: AgentSnapshot;
  readonly environmentId: string;
  readonly environmentType: EnvironmentType;
  readonly vaultIds: readonly string[];
  readonly resources: readonly SessionResource[];
  readonly budget: Readonly<Record<string, unknown>> | null;
  readonly usage: SessionUsage;
  /** `sthr_…`: the primary thread, which is the session itself. */
  readonly threadId: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly archivedAtMs: number | null;
  readonly status: AgentSessionStatus;
  /** Time spent running before the present status. */
  readonly activeMs: number;
  readonly statusSinceMs: number;
  readonly run: ActiveRun | null;
  /** The last ones, the latest at the end. */
  readonly endedRuns: readonly EndedRun[];
  /** Not empty exactly while the session is idle and its run waits for the user. */
  readonly pending: readonly PendingAction[];
  /** In the order in which they came. */
  readonly queue: readonly QueuedInput[];
  /** Those of the active run that may be answered, and the last ones that were. */
  readonly toolUses: readonly TrackedToolUse[];
  /** Empty when there is no run. */
  readonly heldAnswers: readonly HeldAnswer[];
  readonly outcomes: readonly OutcomeEvaluation[];
}

interface DispatchBase {
  /** Whom to tell: `built-in`, `process`, `model`, or the id of a registered engine (`eng_…`). */
  readonly engine: string;
  readonly inputIds: readonly string[];
  /** The event that says it, the last one before it. Nothing is told before this event is recorded. */
  readonly afterEventId?: string;
}

/**
 * What an engine is to be told. The inputs are events, named by id: whoever tells it reads them.
 *
 * - `run.interrupt`: the run is over already. Without inputs it was given up, not interrupted by the user.
 * - `session.deleted`: the state is gone by then.
 */
export type RunDispatch = DispatchBase &
  (
    | { readonly type: 'run.start' | 'run.input' | 'run.interrupt'; readonly runId: string }
    | { readonly type: 'session.deleted'; readonly runId: null }
  );

/** An event of a session that is to be appended. */
export interface SessionEventDraft {
  readonly body: SessionEventBody;
  /** The run whose engine reported it, or whose course it tells. */
  readonly runId?: string;
  /** Queued inputs that this event says are processed now; shown by their `processed_at`, never by this event itself. */
  readonly processedInputs?: readonly string[];
}
