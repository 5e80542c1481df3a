import type { ServerResponse } from 'node:http';
import { encodeComment } from '@sluice/sse-protocol';

export interface PacedResponseOptions {
  /** A reader that reads nothing for so long, while something waits for it, has stalled. */
  readonly stallTimeoutMs: number;
  /** How long a reader may take to read what is left, once nothing more comes. */
  readonly endGraceMs: number;
  onStalled(): void;
  onGone(): void;
  /** The reader did not read to the end in time. */
  onCutOff(): void;
}

/** A response whose head is out, written no faster than it is read. */
export class PacedResponse {
  private release: () => void = () => undefined;

  constructor(
    private readonly response: ServerResponse,
    private readonly options: PacedResponseOptions,
  ) {
    response.on('close', () => options.onGone());
    response.on('error', () => options.onGone());
    // A reader that catches up is given page by page, so nothing but its socket can tell that it stands still.
    response.on('timeout', () => options.onStalled());
  }

  get isGone(): boolean {
    return this.response.destroyed;
  }

  /** More waits for the reader than the connection holds. */
  get isBehind(): boolean {
    return this.response.writableNeedDrain;
  }

  /** What was written and has not left yet. */
  get unreadBytes(): number {
    return this.response.writableLength;
  }

  write(bytes: Buffer): void {
    if (!this.response.writableEnded && !this.response.destroyed) this.response.write(bytes);
  }

  /** Resolves when the reader is no longer behind, or when it is not waited for any more. */
  async untilRead(): Promise<void> {
    const { response } = this;
    // The socket's own clock: it starts anew for as long as bytes leave, however few.
    response.setTimeout(this.options.stallTimeoutMs);
    await new Promise<void>((resolve) => {
      this.release = resolve;
      response.once('drain', resolve);
    });
    response.setTimeout(0);
    response.off('drain', this.release);
  }

  /** Lets go of who waits in `untilRead`. */
  waitNoMore(): void {
    this.release();
  }

  /** Lets the reader read to the end, within limits: a connection that nobody reads must not stay. */
  async finish(): Promise<void> {
    const { response, options } = this;
    if (response.destroyed) return;
    const cut = setTimeout(() => {
      options.onCutOff();
      response.destroy();
    }, options.endGraceMs);
    const closed = new Promise((resolve) => response.once('close', resolve));
    // Ended only when all has left: a server that closes takes a connection whose response was ended for an idle one.
    const left = new Promise((resolve) => response.write(encodeComment(), resolve));
    await Promise.race([left, closed]);
    response.end();
    await closed;
    clearTimeout(cut);
  }

  /** Breaks it off. */
  destroy(): void {
    this.response.destroy();
  }
}
