import type { EncodedEnvelope } from '@sluice/event-schema';
import type { CheckpointMoves, Lane, LaneCheckpoints } from './durable-log';
import type { ParkedRecord } from './read-model';

/**
 * What becomes of positions. `keep`: every event has the position that it has in the live model, so that every cursor stays
 * valid. `renumber`: the events are numbered anew, in a new epoch; every cursor is answered by a reset.
 */
export type RebuildPositions = 'keep' | 'renumber';

/**
 * `building`: under way, or waiting for somebody who builds. `aborting`: to be ended by whoever builds. The others are ends:
 * `switched` (the rebuilt model is the live one), `aborted`, and `failed` (the live model is as it was).
 */
export type RebuildState = 'building' | 'aborting' | 'switched' | 'aborted' | 'failed';

export interface RebuildRequest {
  readonly positions: RebuildPositions;
  /** Drop the former model as soon as the switch is done. Otherwise it stays until `dropOld`. */
  readonly dropOld: boolean;
}

/** One rebuild, and how far it is. */
export interface RebuildStatus extends RebuildRequest {
  readonly rebuildId: number;
  readonly state: RebuildState;
  /** In milliseconds since 1970. */
  readonly requestedAt: number;
  readonly finishedAt?: number;
  /** Who builds at this moment; absent while nobody does. */
  readonly holder?: string;
  /** Events that the model beside has in full, and those of the live model. */
  readonly builtEvents: number;
  readonly liveEvents: number;
  /** Events without effect: a projection rejected them, or they are removed and the log has them no more. */
  readonly leftOutEvents: number;
  /** Attempts to switch that came to nothing, as too much was left to be done in one. */
  readonly attempts: number;
  /** Why it failed, or what held it up last. */
  readonly fault?: string;
  /** The former model of an earlier switch is still there. */
  readonly oldModelKept: boolean;
}

/** Records of the log, decoded, in the order of their lanes. */
export interface RebuildBatch {
  readonly events: readonly RebuildEvent[];
  readonly parked: readonly ParkedRecord[];
  readonly checkpoints: CheckpointMoves;
}

/** An event, and where in the log it is. */
export interface RebuildEvent {
  readonly lane: Lane;
  readonly index: number;
  readonly envelope: EncodedEnvelope;
}

/** Of each lane of the log the first index that it still has, and the one that comes after the last. */
export interface LogBounds {
  readonly starts: LaneCheckpoints;
  readonly ends: LaneCheckpoints;
}

/** How much is left to be done before the model beside is where the live one is. */
export interface RebuildRemainder {
  /**
   * Records that the live model has handled and the model beside has not. Of a lane of which the live model does not say how far
   * it is, and with new positions of every lane: up to the end of the log.
   */
  readonly records: number;
  /** Records up to the end of the log that the model beside has not handled. */
  readonly unread: number;
  /** Events of the live model that the model beside does not have in full. */
  readonly events: number;
}

/**
 * - `switched`: the model beside is the live one.
 * - `not_yet`: what was left was too much, or the end of the rebuild was asked for; nothing changed.
 * - `outdated`: a migration changed the live model since the one beside was made: `prepare` begins anew.
 */
export type SwitchOutcome = 'switched' | 'not_yet' | 'outdated';

/**
 * The building of one rebuild, by one process at a time. Whatever it does is stored with how far it came: another process goes
 * on from there. Every method is refused with `conflict` after the lease was lost, and `read_model_unavailable` may come
 * from each.
 */
export interface RebuildWork {
  readonly rebuildId: number;
  readonly positions: RebuildPositions;
  /** Makes the model beside, empty, where it is not there yet for this rebuild or is outdated. */
  prepare(): Promise<void>;
  /** Where the model beside goes on in each lane of the log. */
  loadCheckpoints(lanes: readonly Lane[]): Promise<LaneCheckpoints>;
  /**
   * Brings records of the log into the model beside, in one transaction. Where positions are kept, only what the live model
   * has handled can be brought over: the answer says how far it came in each lane of the batch. The rest is to be given again.
   * @throws ProjectionFailed only where positions are renumbered: that event is to be parked
   */
  copy(batch: RebuildBatch): Promise<LaneCheckpoints>;
  /** Projects what comes next, in position order, in one transaction. The answer is how many events it took. */
  project(): Promise<number>;
  /** @param log as of a moment ago */
  remainder(log: LogBounds): Promise<RebuildRemainder>;
  /**
   * To be called when all records are copied and events are still missing, as their records are not in the log word for word:
   * takes what the log has under their ids, and of removed events that it has nothing of what the live model has.
   * @returns undefined, or, where it has nothing, what is missing first
   */
  fillHoles(): Promise<string | undefined>;
  /** Renews the lease. */
  renew(leaseMs: number): Promise<'building' | 'aborting'>;
  /**
   * Exchanges the models in one transaction. First nobody can record any more; then `settle` may bring the rest over, within
   * seconds, and says whether nothing is left. Readers are not held up.
   */
  switchOver(settle: () => Promise<boolean>): Promise<SwitchOutcome>;
  /** Ends the rebuild without a switch: the model beside is dropped. A reason makes it `failed`, none `aborted`. */
  discard(reason?: string): Promise<void>;
  /** Notes what holds the rebuild up, for the status. */
  note(fault: string): Promise<void>;
  /** Gives the lease back, so that another process goes on at once. */
  release(): Promise<void>;
}

/**
 * Rebuilding the read model from the durable log beside the live one, and exchanging them (G10).
 *
 * What was asked for, and how far it is, is stored: any process asks and tells, and any that builds goes on with what another
 * one left. One rebuild at a time. Every method may throw SluiceError `read_model_unavailable`.
 */
export interface ReadModelRebuilds {
  /** @throws SluiceError `conflict` while another one is under way, or the former model of an earlier one is still there */
  request(request: RebuildRequest): Promise<RebuildStatus>;
  /** The newest rebuild; undefined when there never was one. */
  status(): Promise<RebuildStatus | undefined>;
  /** Asks for the end of the rebuild that is under way. @throws SluiceError `conflict` when none is */
  abort(): Promise<RebuildStatus>;
  /** Drops the former model that a switch left. False when there is none. @throws SluiceError `conflict` while it is read */
  dropOld(): Promise<boolean>;
  /** The building of what was asked for; undefined when there is none, or somebody else is at it. */
  claim(holder: string, leaseMs: number): Promise<RebuildWork | undefined>;
}
