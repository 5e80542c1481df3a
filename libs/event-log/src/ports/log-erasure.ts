import type { EncodedEnvelope, EventEnvelope } from '@sluice/event-schema';
import { SluiceError } from '../errors';

/** What events of the log are about. One id in two workspaces is two entities. */
export type LogEntity = Pick<EventEnvelope, 'workspaceId' | 'family' | 'entityId'>;

/** An erasure that was begun. Whoever stores it can finish it, in this process or another. */
export interface BegunErasure {
  /** Tells what was appended before from what comes later. At most 64 printable characters. */
  readonly mark: string;
  /** About when `isReady` will say yes, in milliseconds since 1970: for people, and to know when to ask. */
  readonly readyAt: number;
  /** What this log cannot take out, where there is such a thing: to be told to whoever asked for the erasure. */
  readonly caveat?: string;
}

/**
 * Takes all that the log has of one entity out of it, for good, save for what is to be kept. Erasures of one entity must not
 * overlap. Every method can be repeated, by any process.
 *
 * 1. `begin`, and store the mark;
 * 2. ask `isReady` until it says yes;
 * 3. take `ends()` of the log, and wait until the projectors are there: now the read model has every acknowledged event that
 *    `finish` would take out;
 * 4. `finish` with what is to stay.
 */
export interface LogErasure {
  /** Why this log can erase nothing; undefined when it can. */
  readonly refusal: string | undefined;

  /**
   * How long readers, in whichever process, may still have what was taken out in hand after `finish`, in milliseconds.
   * @throws SluiceError `read_model_unavailable`
   */
  readersForgetMs(): Promise<number>;

  /**
   * From now on, what is appended for the entity can be told from what was there, once `isReady` says so.
   * @throws SluiceError `conflict` when the log erases nothing, or nothing of that family; `log_unavailable`,
   * `read_model_unavailable`
   */
  begin(entity: LogEntity): Promise<BegunErasure>;

  /**
   * Whether every append that would be taken out by `finish` and will be acknowledged is stored by now. It goes by the clock of
   * the log, not of this machine.
   * @throws SluiceError as `begin`
   */
  isReady(entity: LogEntity, mark: string): Promise<boolean>;

  /**
   * When it resolves, nothing can be read any more that was appended for the entity before `begin`, and the log has a record
   * with the text of each event of `kept`. These are stored before anything goes. Events that were appended after `begin` may
   * be taken out or not: those that were stored before `isReady` said yes and are to stay have to be in `kept`; later ones
   * always stay.
   *
   * @param kept events of this entity, in their order, in batches of bounded size; each text may differ from what was appended
   * @param confirm asked after all of `kept` was taken, right before each bounded part that goes: where it rejects, no more goes
   * @throws SluiceError `conflict` for a mark that is not ready, or when another erasure of the entity came between;
   * `log_unavailable`, `overloaded`, `read_model_unavailable`: to be repeated from the beginning, with all of `kept`; and what
   * `confirm` throws
   */
  finish(
    entity: LogEntity,
    mark: string,
    kept: AsyncIterable<readonly EncodedEnvelope[]>,
    confirm?: () => Promise<void>,
  ): Promise<void>;
}

/** The key by which one entity is found among others; every id is free of line breaks. */
export function logEntityKey({ workspaceId, family, entityId }: LogEntity): string {
  return `${workspaceId}/${family}/${entityId}`;
}

/** The erasure of a log that erases nothing: every call is refused. */
export function refusedErasure(refusal: string): LogErasure {
  const refuse = () => Promise.reject(new SluiceError('conflict', refusal));
  return { refusal, readersForgetMs: () => Promise.resolve(0), begin: refuse, isReady: refuse, finish: refuse };
}
