import type { HostTurn, HostTurns } from './host-turns';
import type { Slots } from './slots';
import type { UnknownCode } from './verdict';

/** Where one visit is: at one host at a time, for as long as it has the turn of that host and a place among all visits. */
export class Stay {
  /** Milliseconds that were spent on waiting for turns and places. */
  waitedMs = 0;
  private host: string | undefined;
  private turn: HostTurn | undefined;
  private free: (() => void) | undefined;
  private holdOffMs: number | undefined;

  constructor(
    private readonly turns: HostTurns,
    private readonly slots: Slots,
    private readonly onHoldOff: () => void,
  ) {}

  /**
   * Goes to a host; undefined when it is there, else why not. It gives up the host where it is before it waits, so that visits which
   * lead to each other's hosts never wait in a circle. `isFurther`: see `HostTurns.take`.
   */
  async goTo(host: string, signal: AbortSignal, isFurther = false): Promise<UnknownCode | undefined> {
    if (host === this.host) return undefined;
    this.leave();
    const startedMs = performance.now();
    try {
      const turn = await this.turns.take(host, signal, isFurther);
      if (typeof turn === 'string') return turn === 'held_off' ? 'rate_limited' : turn;
      this.turn = turn;
      this.free = await this.slots.take(signal);
      if (this.free === undefined) return 'aborted';
      this.host = host;
      return undefined;
    } finally {
      this.waitedMs += performance.now() - startedMs;
    }
  }

  /** The host wants to be left alone for this long once the visit is over. */
  holdOff(askedMs: number): void {
    this.holdOffMs = Math.max(askedMs, this.holdOffMs ?? 0);
  }

  /** Ends the stay, wherever it is. */
  leave(): void {
    const { turn, free, holdOffMs } = this;
    this.host = this.turn = this.free = this.holdOffMs = undefined;
    free?.();
    turn?.end(holdOffMs);
    if (holdOffMs !== undefined) this.onHoldOff();
  }
}
