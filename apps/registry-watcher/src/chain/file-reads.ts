import { fileUrisOf, type ChainBlock, type FileReading } from '@sluice/agent-registry';
import { pause } from '../pause';

/** Reads registration files. */
export interface RegistrationFiles {
  /** Rejects with the signal only. */
  read(uri: string, signal: AbortSignal): Promise<FileReading>;
}

/** Whether a file was not asked for because too many are. */
export function isBusy(reading: FileReading): boolean {
  return reading.status === 'failed' && reading.error.code === 'busy';
}

/** Most files that one set of blocks waits for; the others are read behind it. */
const MAX_AWAITED_FILES = 64;

/** Reads that several want at the same time are made once: a block that stopped waiting leaves its read to the loop. */
export class FileReads {
  private readonly reads = new Map<string, Promise<FileReading>>();

  constructor(
    private readonly files: RegistrationFiles,
    private readonly waitMs: number,
    /** Ends every read. */
    private readonly signal: AbortSignal,
  ) {}

  read(uri: string): Promise<FileReading> {
    const known = this.reads.get(uri);
    if (known !== undefined) return known;
    const read = this.files.read(uri, this.signal).finally(() => this.reads.delete(uri));
    this.reads.set(uri, read);
    // Whoever waits for it hears of it; perhaps nobody does any more.
    read.catch(() => undefined);
    return read;
  }

  /** The files that new blocks name, as far as they can be read in time. */
  async readAhead(blocks: readonly ChainBlock[]): Promise<ReadonlyMap<string, FileReading>> {
    const found = new Map<string, FileReading>();
    if (this.waitMs === 0) return found;
    const uris = fileUrisOf(blocks).slice(0, MAX_AWAITED_FILES);
    if (uris.length === 0) return found;
    const enough = new AbortController();
    const end = () => enough.abort();
    this.signal.addEventListener('abort', end, { once: true });
    const reads = uris.map((uri) =>
      this.read(uri).then(
        // What comes late must not change a map that is in use; what is busy here is no fault of the agent.
        (reading) => void (enough.signal.aborted || isBusy(reading) || found.set(uri, reading)),
        () => undefined,
      ),
    );
    await Promise.race([Promise.all(reads), pause(this.waitMs, enough.signal)]);
    this.signal.removeEventListener('abort', end);
    end();
    return found;
  }
}
