/** The streams of this process that are not over: a drain lets them finish. */
export class OpenStreams {
  private readonly running = new Set<Promise<void>>();

  /** Runs one stream and remembers it until it is over. */
  async run(stream: () => Promise<void>): Promise<void> {
    const running = stream();
    this.running.add(running);
    try {
      await running;
    } finally {
      this.running.delete(running);
    }
  }

  /** Resolves when all that run now are over, however they end. */
  async whenOver(): Promise<void> {
    await Promise.allSettled(this.running);
  }
}
