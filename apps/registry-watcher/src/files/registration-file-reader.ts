import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { inlineFile, parseRegistrationFile, type FileReading, type RegistrationFile } from '@sluice/agent-registry';
import { MAX_REGISTRY_TEXT_LENGTH } from '@sluice/event-schema';
import {
  collectBytes,
  createSafeFetch,
  SafeFetchError,
  type PrivateAllowList,
  type ResolveAddresses,
  type SafeFetch,
} from '@sluice/safe-fetch';
import { failed, failureOfFetch, failureOfStatus, isOfTheFile, moreTelling, type FileFailure } from './file-failure';
import { Gateways, type FileSource } from './gateways';
import { ipfsPathOf, type IpfsPath } from './ipfs';
import { isNamedBy } from './raw-cid';

const DEFAULT_CONCURRENT = 16;
const DEFAULT_CONCURRENT_PER_HOST = 4;
const DEFAULT_WAITING = 1_000;
const DEFAULT_WAITING_PER_HOST = 16;

/** Readings at a time that may listen to one signal; more of them look like a leak to Node, which warns. */
const MAX_LISTENERS = 100_000;

const HEADERS = { accept: 'application/json, */*;q=0.5' };

/** Reads registration files from wherever their URIs lead. */
export interface RegistrationFileReader {
  /**
   * What the file of a URI says, or why it cannot be read, within the time limit. Rejects when the signal is aborted, with its reason, and
   * for nothing else: a reading that was given up says nothing about the file.
   */
  read(uri: string, signal: AbortSignal): Promise<FileReading>;
}

export interface RegistrationFileReaderOptions {
  /** For one file: the wait for its turn, redirects and all gateways included. */
  readonly timeoutMs: number;
  /** Of one file. */
  readonly maxBytes: number;
  /** Addresses that a CID is appended to (`https://ipfs.io/ipfs/`), tried in this order. They may be private. */
  readonly ipfsGateways: readonly string[];
  /** Other origins that may be read although they are not public. */
  readonly allowPrivate: PrivateAllowList;
  readonly userAgent: string;
  /** Files read at a time. Default 16. */
  readonly maxConcurrent?: number;
  /** Files read from one host at a time. Default 4. */
  readonly maxConcurrentPerHost?: number;
  /** Files that wait for their turn; more of them are `busy`. Default 1000. */
  readonly maxWaiting?: number;
  /** Those of them that wait for one host. Default 16. */
  readonly maxWaitingPerHost?: number;
  /** Told of what should not have gone wrong; the reading is `invalid_file` then. */
  readonly onUnexpectedError?: (error: unknown) => void;
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number;
  /** Default: the DNS of the system. */
  readonly resolve?: ResolveAddresses;
}

export function createRegistrationFileReader(options: RegistrationFileReaderOptions): RegistrationFileReader {
  return new FetchingFileReader(options);
}

/** What a source gave: the file, or why not. */
type Outcome = { readonly file: RegistrationFile; readonly contentHash?: string } | FileFailure;

class FetchingFileReader implements RegistrationFileReader {
  private readonly safeFetch: SafeFetch;
  private readonly gateways: Gateways;
  private readonly now: () => number;

  constructor(private readonly options: RegistrationFileReaderOptions) {
    this.now = options.now ?? Date.now;
    this.gateways = new Gateways(options.ipfsGateways, this.now);
    this.safeFetch = createSafeFetch({
      userAgent: options.userAgent,
      allowPrivate: options.allowPrivate,
      ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
      limits: {
        maxBytes: options.maxBytes,
        maxConcurrent: options.maxConcurrent ?? DEFAULT_CONCURRENT,
        maxConcurrentPerHost: options.maxConcurrentPerHost ?? DEFAULT_CONCURRENT_PER_HOST,
        maxWaiting: options.maxWaiting ?? DEFAULT_WAITING,
        maxWaitingPerHost: options.maxWaitingPerHost ?? DEFAULT_WAITING_PER_HOST,
        // The other half is for reading: who waits longer than this is told so, not that the server was slow.
        maxWaitMs: options.timeoutMs / 2,
      },
    });
  }

  async read(uri: string, signal: AbortSignal): Promise<FileReading> {
    const outcome = await this.outcomeOf(uri.trim(), signal).catch((error: unknown): Outcome => {
      this.options.onUnexpectedError?.(error);
      return failed('invalid_file', 'The file cannot be read');
    });
    const readAt = this.now();
    if ('file' in outcome) {
      return { status: 'read', uri, ...outcome, readAt };
    }
    signal.throwIfAborted();
    return { status: 'failed', uri, ...outcome, readAt };
  }

  private async outcomeOf(uri: string, signal: AbortSignal): Promise<Outcome> {
    const inline = inlineFile(uri);
    if (inline !== undefined) {
      return 'error' in inline ? { error: inline.error, retryable: false } : parsed(inline.bytes);
    }
    // Those that hold their file may be longer.
    if (uri.length > MAX_REGISTRY_TEXT_LENGTH) {
      return failed('uri_too_long', `The URI has more than ${MAX_REGISTRY_TEXT_LENGTH} characters`);
    }
    const ipfs = ipfsPathOf(uri);
    if (ipfs === undefined && !/^https?:/i.test(uri)) {
      return failed('unsupported_uri', 'Only data:, ipfs:, http: and https: are read');
    }
    return withDeadline(this.options.timeoutMs, signal, (ending) =>
      ipfs === undefined ? this.attempt({ url: uri }, this.options.timeoutMs, ending) : this.readIpfs(ipfs, ending),
    );
  }

  /**
   * Asks one source after the other; each gets its share of the time that is left. While one of them is busy here, what the others lack
   * settles nothing.
   */
  private async readIpfs(ipfs: IpfsPath, ending: AbortSignal): Promise<Outcome> {
    const sources = this.gateways.sourcesOf(ipfs);
    const endsAt = performance.now() + this.options.timeoutMs;
    let failure: FileFailure | undefined;
    let busy: FileFailure | undefined;
    for (const [index, source] of sources.entries()) {
      const timeoutMs = Math.max(1, (endsAt - performance.now()) / (sources.length - index));
      const outcome = await this.attempt(source, timeoutMs, ending, ipfs);
      if (ending.aborted) {
        return 'file' in outcome ? outcome : (busy ?? failure ?? outcome);
      }
      if ('error' in outcome && outcome.error.code === 'busy') {
        busy = outcome;
        continue;
      }
      this.gateways.report(source, 'file' in outcome || isOfTheFile(outcome));
      if ('file' in outcome || outcome.error.code === 'too_large') {
        return outcome;
      }
      // What a gateway lacks today it may have tomorrow; what it gave stays what it is.
      failure = moreTelling(failure, { ...outcome, retryable: !isOfTheFile(outcome) });
    }
    if (busy !== undefined && (failure === undefined || !isOfTheFile(failure))) {
      return busy;
    }
    return failure ?? failed('unreachable', 'There is no gateway', true);
  }

  private async attempt(source: FileSource, timeoutMs: number, ending: AbortSignal, ipfs?: IpfsPath): Promise<Outcome> {
    try {
      // A gateway is the operator's, wherever it is; its redirects are not, and neither is the same host in a stranger's URL.
      const isUrlTrusted = source.gateway !== undefined;
      const stream = await this.safeFetch.open(source.url, { headers: HEADERS, timeoutMs, isUrlTrusted }, ending);
      try {
        if (stream.status < 200 || stream.status > 299) {
          return failureOfStatus(stream.status);
        }
        const bytes = await collectBytes(stream.body, this.options.maxBytes);
        if (ipfs?.path === '' && isNamedBy(ipfs.cid, bytes) === false) {
          return failed('unreachable', 'The gateway gave other bytes than the CID names', true);
        }
        return parsed(bytes, `0x${createHash('sha256').update(bytes).digest('hex')}`);
      } finally {
        stream.close();
      }
    } catch (error) {
      return failureOfFetch(error);
    }
  }
}

function parsed(bytes: Uint8Array, contentHash?: string): Outcome {
  const result = parseRegistrationFile(bytes);
  if ('error' in result) {
    return { error: result.error, retryable: false };
  }
  return { file: result.file, ...(contentHash === undefined ? {} : { contentHash }) };
}

/** Runs `work` with a signal that is aborted when the time is over, or with the caller's. */
async function withDeadline<T>(
  timeoutMs: number,
  signal: AbortSignal,
  work: (ending: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const giveUp = (): void => controller.abort();
  const endAt = (): void => controller.abort(new SafeFetchError('timeout', `No whole file within ${timeoutMs} ms`));
  const timer = setTimeout(endAt, timeoutMs);
  // Many readings listen to one signal, each until its end.
  setMaxListeners(MAX_LISTENERS, signal);
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) {
    giveUp();
  }
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}
