import type { CursorPlace } from '@sluice/event-log';
import type { Position, RecordedEvent } from '@sluice/event-schema';
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
  /** Of the key that made it, or how its maker was admitted. */
  readonly createdByKeyId?: string;
  /** Rises with every change by its owner. */
  readonly version: number;
}

/** What signs, sealed by who knows the key. After a rotation the former secret signs as well, for a while. */
export interface WebhookSecrets {
  readonly current: string;
  readonly previous?: { readonly secret: string; readonly until: number };
}

/** An event that is to be sent: as much of it as a filter asks for. */
export type SubjectEvent = Pick<RecordedEvent, 'id' | 'type' | 'workspaceId' | 'family' | 'entityId'>;

/** The type of what tells that a cursor could not be honoured. No event has it. */
export const RESET_TYPE = 'webhook.reset';

/** Tells an application that events between two cursors are not sent. */
export interface ResetNotice {
  readonly id: string;
  readonly type: typeof RESET_TYPE;
  readonly occurredAt: number;
  readonly reason: string;
  /** The cursor that was asked for, and the one that it goes on from. */
  readonly requested: string;
  readonly at: string;
}

export function isNotice(subject: SubjectEvent | ResetNotice): subject is ResetNotice {
  return subject.type === RESET_TYPE;
}

/** What is not through yet: it is tried again before anything later. */
export interface BlockedHead {
  readonly subject: SubjectEvent | ResetNotice;
  /** Of a notice the place itself: everything after it is still to come. */
  readonly position: Position;
  /** Attempts that failed. */
  readonly attempts: number;
  readonly nextAttemptAt: number;
  /** Of the last attempt. */
  readonly status?: number;
  readonly error?: string;
}

/** How far an endpoint is. */
export interface EndpointProgress {
  /** Everything that matches up to here is delivered, or is a dead letter. */
  readonly place: CursorPlace;
  readonly head?: BlockedHead;
  /** When the first attempt failed after the last one that did not; later by the time in which nothing was sent. */
  readonly failingSince?: number;
  /** When the last attempt failed, unless one was delivered since. */
  readonly failedAt?: number;
}

/** An endpoint as its owner sees it. */
export interface EndpointState {
  readonly endpoint: WebhookEndpoint;
  readonly progress: EndpointProgress;
  /** Rises with every change of the progress but a place that passes what does not match. */
  readonly progressVersion: number;
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
