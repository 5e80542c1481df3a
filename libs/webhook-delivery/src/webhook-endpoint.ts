import type { CursorPlace } from '@sluice/event-log';
import type { Position } from '@sluice/event-schema';
import type { WebhookFilter } from './webhook-filter';

/** Why an endpoint is sent nothing: its owner said so, it answered 410, or it failed for too long. */
export type DisabledReason = 'by_owner' | 'gone' | 'failing';

export interface WebhookDisabled {
  readonly reason: DisabledReason;
  /** Milliseconds since 1970, as all instants here. */
  readonly at: number;
}

/** Where an application wants to be told of events, and of which. */
export interface WebhookEndpoint {
  readonly endpointId: string;
  readonly workspaceId: number;
  readonly url: string;
  readonly description: string;
  readonly filter: WebhookFilter;
  /** Absent while it is enabled. */
  readonly disabled?: WebhookDisabled;
  readonly secrets: WebhookSecrets;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Rises with every change by its owner. */
  readonly version: number;
}

/** What signs. After a rotation the former secret signs as well, for a while. */
export interface WebhookSecrets {
  readonly current: string;
  readonly previous?: { readonly secret: string; readonly until: number };
}

/** The event that is not through yet: it is tried again before any later one. */
export interface BlockedHead {
  readonly position: Position;
  /** Attempts that failed. */
  readonly attempts: number;
  readonly nextAttemptAt: number;
}

/** How far an endpoint is. */
export interface EndpointProgress {
  /** Everything that matches up to here is delivered, or is a dead letter. */
  readonly place: CursorPlace;
  readonly head?: BlockedHead;
  /** When the first attempt failed after the last one that did not. */
  readonly failingSince?: number;
}

/** An endpoint as its owner sees it. */
export interface EndpointState {
  readonly endpoint: WebhookEndpoint;
  readonly progress: EndpointProgress;
}

/** The secrets that sign at an instant, the current one first. */
export function signingSecrets({ current, previous }: WebhookSecrets, nowMs: number): readonly string[] {
  return previous !== undefined && nowMs < previous.until ? [current, previous.secret] : [current];
}

/** Ids rise with time, so lists in their order are lists by age. */
export function newEndpointId(nowMs: number): string {
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  const time = nowMs.toString(16).padStart(TIME_DIGITS, '0');
  return `whk_${time}${Buffer.from(random).toString('hex')}`;
}

const TIME_DIGITS = 12;
const RANDOM_BYTES = 10;
