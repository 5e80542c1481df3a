import { SluiceError, type ErrorCode } from '@sluice/event-log';
import type { AccessControl } from '../access-control';
import type { Clock } from '../clock';
import { presentedCredential, type Credentials, type PresentedCredential } from '../credentials';
import type { Principal } from '../principal';
import { sourceKey } from './source-key';
import { rateLimited, TokenBucketLimiter } from './token-bucket';

export interface FailedAuthenticationLimits {
  /** How many failures per second a source may go on with. */
  readonly perSecond: number;
  /** How many failures it may have at once. */
  readonly burst: number;
  /** Most sources remembered. */
  readonly maxTracked: number;
  readonly clock?: Clock;
  /** Told of each request that was not let in, and why: `missing` without a credential, else the code of the error. */
  onFailed?(reason: AuthenticationFailure): void;
}

export type AuthenticationFailure = ErrorCode | 'missing';

/** Most credentials that wait until earlier ones of their address are judged, all addresses together. */
const MAX_WAITING = 10_000;

/** What a source has under way. */
interface Source {
  /** Credentials that are being judged, each with a token taken for it. */
  judging: number;
  /** Told whether they may be judged, first come first served. */
  readonly waiting: ((error: SluiceError | undefined) => void)[];
}

/**
 * Slows down who guesses credentials. Only failures count, and only the code `unauthorized`: neither an outage of ours,
 * nor a client with an expired token, nor one that sends nothing locks its address out. A credential that was accepted
 * lately is never held up by a neighbour at the same address.
 */
export class FailedAuthenticationLimiter {
  private readonly failures: TokenBucketLimiter;
  private readonly sources = new Map<string, Source>();
  private readonly inFlight = new Map<string, Promise<Principal>>();
  private waiting = 0;

  constructor(private readonly limits: FailedAuthenticationLimits) {
    this.failures = new TokenBucketLimiter({
      requestsPerSecond: limits.perSecond,
      burst: limits.burst,
      maxTracked: limits.maxTracked,
      clock: limits.clock,
    });
  }

  /**
   * Authenticates for a source address, and counts it if it fails. Of unknown credentials no more are judged at a time
   * than may fail; further ones wait for those, and one that comes several times at once is judged once.
   *
   * @throws SluiceError `rate_limited` without asking when the source has failed too often, `overloaded` when too many
   *   wait, else what `authenticate` throws.
   */
  guard(
    address: string,
    access: Pick<AccessControl, 'authenticate' | 'isKnown'>,
    credentials: Credentials,
  ): Promise<Principal> {
    const presented = presentedCredential(credentials);
    return this.told(presented === undefined, () => this.admit(address, access, credentials, presented));
  }

  private async admit(
    address: string,
    access: Pick<AccessControl, 'authenticate' | 'isKnown'>,
    credentials: Credentials,
    presented: PresentedCredential | undefined,
  ): Promise<Principal> {
    if (presented === undefined || access.isKnown(credentials)) return access.authenticate(credentials);
    const source = sourceKey(address);
    const key = `${source} ${presented.kind} ${presented.text}`;
    const running = this.inFlight.get(key);
    if (running !== undefined) return running;
    const judgement = this.judge(source, () => access.authenticate(credentials)).finally(() =>
      this.inFlight.delete(key),
    );
    this.inFlight.set(key, judgement);
    return judgement;
  }

  /**
   * Judges another proof than a credential for a source address, such as a signature, and counts it if `judge` throws
   * `unauthorized`.
   *
   * @throws SluiceError `rate_limited` without judging when the source has failed too often, `overloaded` when too many
   *   wait, else what `judge` throws.
   */
  guardProof<T>(address: string, judge: () => Promise<T>): Promise<T> {
    return this.told(false, () => this.judge(sourceKey(address), judge));
  }

  private async told<T>(isMissing: boolean, attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof SluiceError) this.limits.onFailed?.(isMissing ? 'missing' : error.code);
      throw error;
    }
  }

  private async judge<T>(source: string, judge: () => Promise<T>): Promise<T> {
    await this.enter(source);
    let isGuess = false;
    try {
      return await judge();
    } catch (error) {
      isGuess = error instanceof SluiceError && error.code === 'unauthorized';
      throw error;
    } finally {
      this.leave(source, isGuess);
    }
  }

  /** Takes a token, or waits for that of another that turns out to be no guess. */
  private async enter(key: string): Promise<void> {
    const source = this.sources.get(key) ?? { judging: 0, waiting: [] };
    const admission = this.failures.take(key);
    if (admission.admitted) {
      source.judging++;
      this.sources.set(key, source);
      return;
    }
    if (source.judging === 0) throw rateLimited(admission.retryAfterMs);
    if (this.waiting >= MAX_WAITING) throw new SluiceError('overloaded', 'Too many credentials are being checked');
    this.waiting++;
    const error = await new Promise<SluiceError | undefined>((resolve) => source.waiting.push(resolve));
    this.waiting--;
    if (error !== undefined) throw error;
  }

  private leave(key: string, isGuess: boolean): void {
    const source = this.sources.get(key);
    if (source === undefined) return;
    const next = isGuess ? undefined : source.waiting.shift();
    if (next !== undefined) {
      next(undefined);
      return;
    }
    if (!isGuess) this.failures.giveBack(key);
    source.judging--;
    if (source.judging > 0) return;
    this.sources.delete(key);
    this.refuse(key, source);
  }

  /** All that were judged before them were guesses. */
  private refuse(key: string, { waiting }: Source): void {
    if (waiting.length === 0) return;
    const admission = this.failures.peek(key);
    const error = rateLimited(admission.admitted ? 0 : admission.retryAfterMs);
    for (const resolve of waiting) resolve(error);
  }
}
