import type { ProbeProtocol, VerdictCode } from './verdict';

/** What the prober tells operators. */
export interface ReachabilitySignals {
  /** One endpoint was probed; the duration is without the wait for its turn, and absent where nothing was sent. */
  probed(protocol: ProbeProtocol, outcome: VerdictCode, durationMs?: number): void;
  /** A host asked to be left alone, by 429 or `Retry-After`. */
  heldOff(): void;
  /** A host that wants to be left alone was forgotten, because too many are known. */
  hostForgotten(): void;
  /** A fault of the prober itself, which should not be. */
  fault(error: unknown): void;
}

export const NO_REACHABILITY_SIGNALS: ReachabilitySignals = {
  probed: () => undefined,
  heldOff: () => undefined,
  hostForgotten: () => undefined,
  fault: () => undefined,
};
