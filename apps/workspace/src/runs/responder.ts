/** One thing that was said before, as an agent is shown it. */
export interface HistoryMessage {
  /** `assistant` is the agent that is asked. */
  readonly role: 'user' | 'assistant';
  readonly name?: string;
  readonly content: string;
}

export interface ResponderRequest {
  readonly agentId: string;
  readonly prompt: string;
  /** The oldest first; without the prompt. */
  readonly history: readonly HistoryMessage[];
  /** Aborted when nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

/** Who speaks for the agents. */
export interface Responder {
  /**
   * The answer, piece by piece; each piece is a text of its own.
   * @throws RunFailed with the words that the workspace may read; anything else is told as an internal fault.
   */
  respond(request: ResponderRequest): AsyncIterable<string>;
}

/** Why a run failed, in words for the workspace. */
export class RunFailed extends Error {
  override readonly name = 'RunFailed';
}

/** Runs scripts of cron jobs away from everything else. None is built in. */
export interface ScriptRunner {
  /** What the script wrote. @throws RunFailed */
  run(request: {
    readonly workspaceId: number;
    readonly script: string;
    readonly signal: AbortSignal;
  }): Promise<string>;
}

/** Most pieces of one answer. */
export const MAX_ANSWER_PIECES = 1_000;

/** Most characters of one piece; a longer one is a failure of the run. */
export const MAX_PIECE_LENGTH = 60_000;
