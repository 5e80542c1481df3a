import type { EndReason } from '@sluice/delivery';

/**
 * Why a stream ended: as its subscription did; because its credential ended, its slot among all replicas was lost, or it
 * has lasted as long as it may; or by a fault of ours.
 */
export type StreamEnd = EndReason | 'token_expired' | 'revoked' | 'too_many_connections' | 'max_duration' | 'fault';

/** What streams tell their operators. */
export interface StreamSignals {
  ended(reason: StreamEnd): void;
  /** A subscriber that did not even read the last word in time was disconnected without it. */
  cutOff(): void;
  fault(error: unknown): void;
}
