import type { EncodedEnvelope, Position } from '@sluice/event-schema';
import type { LaneCheckpoints } from './durable-log';
import type { EntityRef } from './removed-events';

/**
 * What is still to be done of an erasure: the steps follow each other in this order, and each can be repeated. Any process
 * goes on with the step that another one left.
 *
 * - `cutting`: until the read model has what the log had when the erasure was asked for; then it is known which events go;
 * - `marking`: the log begins to tell what was appended before from what comes;
 * - `settling`: until it can;
 * - `catching_up`: until the read model has all that was appended before;
 * - `log`: all of it goes, but for what is to stay;
 * - `events`: recorded events go, or lose what is to be erased of them;
 * - `projections`: what the entity's events made is made anew of those that stay;
 * - `parked`: records of the entity that could not become events go;
 * - `publishing`: until the delivery log was given all that was recorded before, so that no late run brings it back;
 * - `delivery`: the delivery log forgets, and so do all who follow it;
 * - `elsewhere`: what apps keep beside the log goes;
 * - `expiring`: until no reader of the log has in hand what was taken out of it.
 */
export const ERASURE_STEPS = [
  'cutting',
  'marking',
  'settling',
  'catching_up',
  'log',
  'events',
  'projections',
  'parked',
  'publishing',
  'delivery',
  'elsewhere',
  'expiring',
] as const;

export type ErasureStep = (typeof ERASURE_STEPS)[number];

/** The families whose events can be erased: those of registries are public, as their chains are. */
export const ERASABLE_FAMILIES = ['sandbox', 'session', 'workspace'] as const;

/** Most fields of one erasure. */
export const MAX_ERASED_FIELDS = 32;

/** Most erasures that are open at a time. */
export const MAX_OPEN_ERASURES = 1_000;

/** Most erasures in one page. */
export const MAX_LISTED_ERASURES = 100;

/**
 * Most events of an entity of which fields are erased: all of them are read to decide whether that can be, and what they made
 * is made anew at once, while nobody records.
 */
export const MAX_EVENTS_OF_FIELDS = 20_000;

export interface ErasureRequest {
  readonly entity: EntityRef;
  /** JSON pointers (RFC 6901) into the data of the entity's events. None: all events of the entity. */
  readonly fields: readonly string[];
}

/** What a worker notes of an erasure from one step to the next. */
export interface ErasureProgress {
  /** Where the log ended when the erasure was asked for: what was acknowledged before goes. For the step `cutting`. */
  readonly requestedEnds?: LaneCheckpoints;
  /** Where it ended when what was there could be told from what comes: all that goes is before them. For `catching_up`. */
  readonly sealedEnds?: LaneCheckpoints;
  /** Events up to here are erased. */
  readonly upTo?: Position;
  /** Of the log's own erasure. */
  readonly mark?: string;
  /** What the log cannot take out. */
  readonly caveat?: string;
  /** The delivery log has to be given all up to here. */
  readonly publishUpTo?: Position;
}

/** One erasure, and how far it is. */
export interface ErasureStatus extends ErasureRequest {
  readonly erasureId: number;
  /** The step it is at, or was at when it was abandoned; absent when it is done. */
  readonly step?: ErasureStep;
  /** In milliseconds since 1970. */
  readonly requestedAt: number;
  readonly finishedAt?: number;
  /** When it was abandoned: nobody goes on with it. */
  readonly abandonedAt?: number;
  /** Who is at it at this moment; absent while nobody is, for instance while a step waits. */
  readonly holder?: string;
  /** Events up to here are erased; absent before that is known. */
  readonly upTo?: Position;
  /** Events that went, or lost a field. */
  readonly erasedEvents: number;
  /** Parked records that went. */
  readonly erasedParked: number;
  /** What the log could not take out. */
  readonly caveat?: string;
  /** What held it up last; absent since it went on. */
  readonly fault?: string;
}

/**
 * The work on one erasure, by one process at a time. Every method is refused with `conflict` after the lease was lost or the
 * erasure was abandoned, and `read_model_unavailable` may come from each.
 */
export interface ErasureWork extends ErasureRequest {
  readonly erasureId: number;
  readonly step: ErasureStep;
  readonly progress: ErasureProgress;
  /** Does nothing else: to be asked right before something goes that is not in the read model. */
  requireHeld(): Promise<void>;
  /** Notes the next step, to be begun after so long, and what is known by now. What was known before stays known. */
  advance(step: ErasureStep, progress?: ErasureProgress, dueInMs?: number): Promise<void>;
  /** What the log is to keep of the entity, in the order of positions, in batches of bounded size: for the step `log`. */
  kept(): AsyncIterable<readonly EncodedEnvelope[]>;
  /** A bounded part of the step `events`. False when nothing is left of it. */
  eraseEvents(): Promise<boolean>;
  /** The step `projections`, in one transaction: nobody records meanwhile. */
  projectAnew(): Promise<void>;
  /** A bounded part of the step `parked`. False when nothing is left of it. */
  eraseParked(): Promise<boolean>;
  /** How far the delivery log was given what was recorded. */
  published(): Promise<Position>;
  /** A bounded part of the step `elsewhere`. `waiting`: another app has to remove what it was told to. */
  eraseElsewhere(): Promise<'more' | 'waiting' | 'done'>;
  /** Renews the lease. */
  renew(leaseMs: number): Promise<void>;
  /** Notes what holds the erasure up, for the status. */
  note(fault: string): Promise<void>;
  /** Gives the lease back: another process, or this one, goes on after so long. */
  release(dueInMs: number): Promise<void>;
  /** It is done. */
  finish(): Promise<void>;
}

/** What is still to be erased. */
export interface ErasureBacklog {
  /** Erasures that are neither done nor abandoned. */
  readonly open: number;
  /** For how long the oldest of them has been open, in milliseconds; 0 without one. */
  readonly oldestMs: number;
}

/**
 * Erasing what is kept of one entity, or of fields of its events, from everywhere. Positions, ids and the order of what stays
 * are as they were.
 *
 * What was asked for, and how far it is, is stored: any process asks and tells, and any that works goes on with what another
 * one left. Many may be open at a time, one of each entity. While one is, the read model is not rebuilt, and the other way
 * round. Every method may throw SluiceError `read_model_unavailable`.
 */
export interface Erasures {
  /**
   * @throws SluiceError `not_found` for an entity of which nothing was recorded; `invalid_request` for a family that is not
   * erased, a field that no event has, or one that an event cannot be without; `conflict` while an erasure of the entity is
   * open, the read model is being rebuilt, a former read model is still there, a session is not deleted, or retention has
   * removed events of which fields are to be erased; `overloaded` when too many are open
   */
  request(request: ErasureRequest): Promise<ErasureStatus>;
  find(erasureId: number): Promise<ErasureStatus | undefined>;
  /** The newest first, older than `before`; at most `MAX_LISTED_ERASURES`. */
  list(query: { readonly before?: number; readonly limit: number }): Promise<readonly ErasureStatus[]>;
  /**
   * Nobody goes on with it: what its steps up to here have erased stays erased, and all else stays. It may be asked for again.
   * Outside the read model the bounded part that a process is just at may still come to its end. One that is abandoned already
   * is answered as it is.
   * @throws SluiceError `not_found`; `conflict` when it is done
   */
  abandon(erasureId: number): Promise<ErasureStatus>;
  backlog(): Promise<ErasureBacklog>;
  /** An open erasure whose step is due and that nobody holds; undefined when there is none. */
  claim(holder: string, leaseMs: number): Promise<ErasureWork | undefined>;
}
