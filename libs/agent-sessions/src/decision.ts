import type { RunDispatch, SessionEventDraft, SessionState } from './session-state';

/** Why a command was not taken. Nothing is stored then. */
export interface SessionRefusal {
  /** `conflict`: it is right in itself, but not in this state; repeating it does not help. */
  readonly code: 'invalid_request' | 'conflict' | 'not_found';
  readonly message: string;
  /** Where in the request, for instance `events[2].tool_use_id`. */
  readonly where?: string;
}

/** What follows from a command. */
export type Decision =
  | {
      readonly kind: 'accepted';
      /** Undefined when the session is deleted. The very same object as before when nothing is to be stored. */
      readonly state: SessionState | undefined;
      /** To be appended, in this order. */
      readonly events: readonly SessionEventDraft[];
      /** To be told to the engine, in this order. */
      readonly dispatches: readonly RunDispatch[];
    }
  | { readonly kind: 'refused'; readonly refusal: SessionRefusal };

/** What deciding takes from outside, so that it is a function. */
export interface DecisionContext {
  readonly nowMs: number;
  /** A fresh id: `sevt_…`, `srun_…`, `outc_…`. */
  newId(prefix: 'sevt' | 'srun' | 'outc'): string;
  /** A fresh secret of a run: `whsec_…`. */
  newSecret(): string;
  /** The types of those events, of the ids that the command names, that the session has already. */
  readonly knownEvents: ReadonlyMap<string, string>;
  /** How long a run may be silent. */
  readonly runTimeoutMs: number;
}
