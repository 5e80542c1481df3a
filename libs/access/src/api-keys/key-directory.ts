import { SluiceError } from '@sluice/event-log';
import { LRUCache } from 'lru-cache';
import { isFresh } from '../clock';
import { badCredentials, keyStoreUnavailable } from '../errors';
import type { ApiKeyPrincipal } from '../principal';
import { MAX_LOOKUPS_IN_FLIGHT, toKeyPrincipal, type ApiKeyAuthenticatorOptions } from './api-key-authenticator';
import { isInForce, type ApiKeyRecord } from './api-key-record';
import type { ApiKeyStore } from './api-key-store';
import { withDeadline } from './with-deadline';

interface Answer {
  /** Undefined: not in force, or unknown. */
  readonly principal: ApiKeyPrincipal | undefined;
  readonly askedAt: number;
}

/** Tells whether a key is in force by its id, asking the store at most once per key and TTL, and once at a time. */
export class KeyDirectory {
  private readonly answers: LRUCache<string, Answer>;
  private readonly inFlight = new Map<string, Promise<ApiKeyPrincipal>>();
  private readonly operators: ReadonlyMap<string, ApiKeyRecord>;

  constructor(
    private readonly store: ApiKeyStore,
    private readonly options: ApiKeyAuthenticatorOptions,
  ) {
    this.answers = new LRUCache({ max: options.maxEntries });
    this.operators = new Map([...options.operators.values()].map((record) => [record.keyId, record]));
  }

  /** The holder if the key was found in force lately; undefined says nothing but that `find` has to be asked. */
  cached(keyId: string): ApiKeyPrincipal | undefined {
    return this.freshAnswer(keyId)?.principal;
  }

  /**
   * The holder of the key. Throws `unauthorized` when it is not in force, `read_model_unavailable` when the store fails
   * or is too slow, `overloaded` when too many lookups are under way.
   */
  async find(keyId: string): Promise<ApiKeyPrincipal> {
    const answer = this.freshAnswer(keyId);
    if (answer !== undefined) return inForce(answer);
    const running = this.inFlight.get(keyId);
    if (running !== undefined) return running;
    if (this.inFlight.size >= MAX_LOOKUPS_IN_FLIGHT) {
      throw new SluiceError('overloaded', 'Too many credentials are being checked');
    }
    const lookup = this.lookUp(keyId).finally(() => this.inFlight.delete(keyId));
    this.inFlight.set(keyId, lookup);
    return lookup;
  }

  /** Forgets what is cached of a key, so that this process notices its revocation at once. */
  forget(keyId: string): void {
    this.answers.delete(keyId);
  }

  private freshAnswer(keyId: string): Answer | undefined {
    const answer = this.answers.get(keyId);
    if (answer === undefined) return undefined;
    const now = this.options.clock();
    const end = answer.principal?.expiresAt ?? Infinity;
    return now < end && isFresh(answer.askedAt, now, this.options.ttlMs) ? answer : undefined;
  }

  private async lookUp(keyId: string): Promise<ApiKeyPrincipal> {
    // The age of the answer counts from before the question, so that the TTL bounds the delay of a revocation.
    const askedAt = this.options.clock();
    const record = this.operators.get(keyId) ?? (await this.ask(keyId));
    const isGood = record !== undefined && isInForce(record, this.options.clock());
    const answer = { principal: isGood ? toKeyPrincipal(record) : undefined, askedAt };
    this.answers.set(keyId, answer);
    return inForce(answer);
  }

  private async ask(keyId: string): Promise<ApiKeyRecord | undefined> {
    try {
      const [record] = await withDeadline(this.store.findByIds([keyId]), this.options.lookupTimeoutMs);
      return record;
    } catch (error) {
      throw keyStoreUnavailable(error);
    }
  }
}

function inForce({ principal }: Answer): ApiKeyPrincipal {
  if (principal === undefined) throw badCredentials();
  return principal;
}
