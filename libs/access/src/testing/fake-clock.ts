/** A clock that tests set by hand, in milliseconds. */
export class FakeClock {
  constructor(public nowMs = 1_800_000_000_000) {}

  readonly read = (): number => this.nowMs;

  advance(byMs: number): void {
    this.nowMs += byMs;
  }
}
