import { SluiceError } from '@sluice/event-log';
import { LRUCache } from 'lru-cache';
import { isFresh, KNOWN_FOR_MS, type Clock } from '../clock';
import { badCredentials, keyStoreUnavailable } from '../errors';
import type { ApiKeyPrincipal } from '../principal';
import { isInForce, type ApiKeyRecord } from './api-key-record';
import type { ApiKeyStore } from './api-key-store';
import { hashApiKey, isApiKeyText } from './api-key-text';
import { withDeadline } from './with-deadline';

/** Most different keys that are looked up at a time; beyond it callers get `overloaded`. */
export const MAX_LOOKUPS_IN_FLIGHT = 1000;

export interface ApiKeyAuthenticatorOptions {
  /** How long an answer of the store is believed, found or not. A revocation takes effect within it. */
  readonly ttlMs: number;
  /** Most keys remembered as found, those among them whose answer is too old to be believed. */
  readonly maxEntries: number;
  /** Most keys remembered as unknown; apart, so that guessing does not push out the found ones. */
  readonly maxUnknownEntries: number;
  /** After it a lookup counts as failed. */
  readonly lookupTimeoutMs: number;
  readonly clock: Clock;
  /** Keys that are not in the store, by hash. */
  readonly operators: ReadonlyMap<string, ApiKeyRecord>;
}

interface Found {
  readonly principal: ApiKeyPrincipal;
  readonly askedAt: number;
}

/** Tells whose an API key is, asking the store at most once per key and TTL, and once at a time. */
export class ApiKeyAuthenticator {
  private readonly found: LRUCache<string, Found>;
  private readonly unknown: LRUCache<string, number>;
  private readonly inFlight = new Map<string, Promise<ApiKeyPrincipal>>();

  constructor(
    private readonly store: ApiKeyStore,
    private readonly options: ApiKeyAuthenticatorOptions,
  ) {
    this.found = new LRUCache({ max: options.maxEntries });
    this.unknown = new LRUCache({ max: options.maxUnknownEntries });
  }

  /** The principal if the key was found lately; undefined says nothing but that `authenticate` has to be asked. */
  cached(text: string): ApiKeyPrincipal | undefined {
    const hit = this.found.get(text);
    if (hit === undefined) return undefined;
    const now = this.options.clock();
    const { expiresAt } = hit.principal;
    if (isFresh(hit.askedAt, now, this.options.ttlMs) && (expiresAt === undefined || now < expiresAt)) {
      return hit.principal;
    }
    return undefined;
  }

  /** Whether the key was accepted within `KNOWN_FOR_MS`: an answer of that age is not believed, but was given. */
  isKnown(text: string): boolean {
    const hit = this.found.peek(text);
    return hit !== undefined && isFresh(hit.askedAt, this.options.clock(), this.options.ttlMs + KNOWN_FOR_MS);
  }

  /**
   * Throws `unauthorized` for anything but a key in force, `read_model_unavailable` when the store fails or is too
   * slow, `overloaded` when too many lookups are under way.
   */
  async authenticate(text: string): Promise<ApiKeyPrincipal> {
    if (!isApiKeyText(text)) throw badCredentials();
    const hit = this.cached(text);
    if (hit !== undefined) return hit;
    const unknownSince = this.unknown.get(text);
    if (unknownSince !== undefined && isFresh(unknownSince, this.options.clock(), this.options.ttlMs)) {
      throw badCredentials();
    }
    const running = this.inFlight.get(text);
    if (running !== undefined) return running;
    if (this.inFlight.size >= MAX_LOOKUPS_IN_FLIGHT) {
      throw new SluiceError('overloaded', 'Too many credentials are being checked');
    }
    const lookup = this.lookUp(text).finally(() => this.inFlight.delete(text));
    this.inFlight.set(text, lookup);
    return lookup;
  }

  /** Forgets what is cached of a key, so that this process notices its revocation at once. */
  forget(keyId: string): void {
    for (const [text, { principal }] of this.found.entries()) {
      if (principal.keyId === keyId) this.found.delete(text);
    }
  }

  private async lookUp(text: string): Promise<ApiKeyPrincipal> {
    // The age of the answer counts from before the question, so that the TTL bounds the delay of a revocation.
    const askedAt = this.options.clock();
    const record = await this.ask(text);
    if (record === undefined || !isInForce(record, this.options.clock())) {
      this.found.delete(text);
      this.unknown.set(text, askedAt);
      throw badCredentials();
    }
    const principal = toKeyPrincipal(record);
    this.unknown.delete(text);
    this.found.set(text, { principal, askedAt });
    return principal;
  }

  private async ask(text: string): Promise<ApiKeyRecord | undefined> {
    try {
      const hash = await hashApiKey(text);
      const operator = this.options.operators.get(hash);
      if (operator !== undefined) return operator;
      return await withDeadline(this.store.findByHash(hash), this.options.lookupTimeoutMs);
    } catch (error) {
      throw keyStoreUnavailable(error);
    }
  }
}

/** The holder of a key. */
export function toKeyPrincipal(record: ApiKeyRecord): ApiKeyPrincipal {
  return Object.freeze({
    kind: 'api_key',
    keyId: record.keyId,
    workspaceId: record.workspaceId,
    role: record.role,
    limits: Object.freeze({ ...record.limits }),
    ...(record.expiresAt === undefined ? {} : { expiresAt: record.expiresAt }),
  });
}
