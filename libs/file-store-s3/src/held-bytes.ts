import { SluiceError } from '@sluice/event-log';

const RETRY_AFTER_MS = 1_000;

/** What one put holds. */
export interface HeldShare {
  /** @throws SluiceError `file_store_unavailable` when all puts together would hold too much */
  growTo(bytes: number): void;
  release(): void;
}

/** Bounds the bytes of parts that are in memory at a time, of all puts together. */
export class HeldBytes {
  private heldBytes = 0;

  constructor(private readonly maxBytes: number) {}

  open(): HeldShare {
    let ownBytes = 0;
    return {
      growTo: (bytes) => {
        if (this.heldBytes - ownBytes + bytes > this.maxBytes) {
          throw new SluiceError('file_store_unavailable', 'Too many files come in at a time', {
            retryAfterMs: RETRY_AFTER_MS,
          });
        }
        this.heldBytes += bytes - ownBytes;
        ownBytes = bytes;
      },
      release: () => {
        this.heldBytes -= ownBytes;
        ownBytes = 0;
      },
    };
  }
}
