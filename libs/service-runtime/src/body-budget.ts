import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform, type Readable } from 'node:stream';
import { SluiceError } from '@sluice/event-log';
import type { Counter } from 'prom-client';
import type { MetricsRegistry } from './metrics';
import { METRIC_NAMES } from './signals';

/** Bodies up to this many bytes are counted as announced; larger ones, and those of no stated length, as they arrive. */
const COUNTED_AS_ANNOUNCED_MAX_BYTES = 65_536;

const RETRY_AFTER_MS = 1_000;

/** Their bodies are never read. */
const METHODS_WITHOUT_BODY: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD']);

/** What one request has of the budget. */
interface Share {
  bytes: number;
  isOver: boolean;
}

/** Bounds the bytes of request bodies that are in hand at a time: of all callers together, until each is answered. */
export class BodyBudget {
  private bytesInHand = 0;
  private readonly refused: Counter;

  constructor(
    private readonly maxBytes: number,
    metrics: MetricsRegistry,
  ) {
    this.refused = metrics.counter({
      name: METRIC_NAMES.httpBodiesRefusedTotal,
      help: 'Requests answered 503 because the bodies in hand were at their bound together',
    });
    metrics.gauge({
      name: METRIC_NAMES.httpBodyBytesInHand,
      help: 'Bytes of bodies of requests that are not answered to the end',
      collect: (gauge) => gauge.set(this.bytesInHand),
    });
  }

  /**
   * The payload, counted against the budget until the answer is out or the caller is gone. A payload that goes beyond it
   * while it arrives fails with `overloaded`.
   *
   * @throws SluiceError `overloaded`
   */
  count<P extends Readable>(request: IncomingMessage, answer: ServerResponse, payload: P): P | Transform {
    const announcedBytes = announced(request);
    // A caller who is gone gets no answer whose end could be waited for, and sends no more.
    if (announcedBytes === 0 || answer.destroyed) return payload;
    const share: Share = { bytes: 0, isOver: false };
    answer.once('close', () => {
      share.isOver = true;
      this.bytesInHand -= share.bytes;
    });
    if (announcedBytes > COUNTED_AS_ANNOUNCED_MAX_BYTES) return this.countArriving(payload, answer, share);
    const error = this.take(share, announcedBytes);
    if (error) throw error;
    return payload;
  }

  private countArriving(payload: Readable, answer: ServerResponse, share: Share): Transform {
    const counted = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const error = this.take(share, chunk.length);
        if (error) done(error);
        else done(null, chunk);
      },
    });
    // Once it is answered nobody reads it any more, and the rest has to go somewhere.
    const letGo = () => void payload.unpipe(counted).resume();
    answer.once('finish', letGo);
    counted.once('error', letGo);
    payload.once('error', (error) => counted.destroy(error));
    payload.once('close', () => {
      if (!counted.writableEnded) counted.destroy();
    });
    return payload.pipe(counted);
  }

  private take(share: Share, bytes: number): SluiceError | undefined {
    if (share.isOver) return undefined;
    if (this.bytesInHand + bytes > this.maxBytes) {
      this.refused.inc();
      return new SluiceError('overloaded', 'Too many bodies are in hand', { retryAfterMs: RETRY_AFTER_MS });
    }
    this.bytesInHand += bytes;
    share.bytes += bytes;
    return undefined;
  }
}

/** How long the body says to be, in bytes; endless when it does not say. */
function announced({ method, headers }: IncomingMessage): number {
  if (METHODS_WITHOUT_BODY.has(method)) return 0;
  if (headers['transfer-encoding'] !== undefined) return Number.POSITIVE_INFINITY;
  return Number(headers['content-length'] ?? 0);
}
