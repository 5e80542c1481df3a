import { SluiceError, type KeyedLocks } from '@sluice/event-log';
import type { WorkspaceEventType } from '@sluice/event-schema';
import type { CommandScope } from './command-scope';
import type { EarlierEvent, WorkspaceJournal } from './workspace-journal';

/** A command that is about one entity. */
export interface EntityCommand<E extends WorkspaceEventType, T> {
  readonly entityId: string;
  /** What it always writes, when it is done: by this event a repeated command is known. */
  readonly writes: E;
  /** Does it: the first time, or without a key. */
  first(): Promise<T>;
  /** Answers a repeated command by what it wrote the first time. Writes nothing. */
  again(earlier: EarlierEvent<E>): Promise<T>;
}

const RETRY_AFTER_MS = 1_000;

/**
 * Takes the commands about an entity one after the other, each on what those before it left, and each of them once. Of
 * this process: what other replicas write at the same time is not waited for.
 */
export class EntityCommands {
  constructor(
    private readonly locks: KeyedLocks,
    private readonly journal: WorkspaceJournal,
    /** How long a command waits until what others wrote before it can be read. */
    private readonly catchUpMs: number,
  ) {}

  /**
   * @throws SluiceError `overloaded` when what was written before cannot be read in time or too many wait,
   *   `idempotency_conflict`, `read_model_unavailable`, and what the command throws
   */
  async once<E extends WorkspaceEventType, T>(scope: CommandScope, command: EntityCommand<E, T>): Promise<T> {
    const { workspaceId } = scope;
    const { entityId } = command;
    const endMs = performance.now() + this.catchUpMs;
    const hasCaughtUp = () =>
      this.journal.hasCaughtUp(workspaceId, entityId, Math.max(0, Math.floor(endMs - performance.now())));
    // Before it is its turn, so that those who come meanwhile wait beside it and not behind it.
    await hasCaughtUp();
    return this.locks.run(`${workspaceId}/${entityId}`, async () => {
      const isCurrent = await hasCaughtUp();
      const earlier = await this.journal.earlier(scope, command.writes);
      if (earlier) return command.again(earlier);
      if (isCurrent) return command.first();
      if (!this.journal.isUnread(scope, entityId)) throw notCaughtUp();
      return this.repeatUnread(command);
    });
  }

  /** Nothing is read of what it wrote the first time, so it does the same again: the log keeps one. */
  private async repeatUnread<E extends WorkspaceEventType, T>(command: EntityCommand<E, T>): Promise<T> {
    try {
      return await command.first();
    } catch (error) {
      // What it wrote itself may have come to light meanwhile, and be in its way.
      const isInTheWay = error instanceof SluiceError && (error.code === 'conflict' || error.code === 'not_found');
      throw isInTheWay ? notCaughtUp() : error;
    }
  }
}

function notCaughtUp(): SluiceError {
  return new SluiceError('overloaded', 'An earlier change of the same thing cannot be read yet', {
    retryAfterMs: RETRY_AFTER_MS,
  });
}
