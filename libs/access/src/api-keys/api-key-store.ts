import type { ApiKeyRecord } from './api-key-record';

/** Most records that one call gives. */
export const MAX_LISTED_KEYS = 1000;

/** Where API keys are kept. `describeApiKeyStore` of `@sluice/access/conformance` says the same as tests. */
export interface ApiKeyStore {
  /** The key with this SHA-256, also when it is revoked or expired: judging that is the caller's part. */
  findByHash(hash: string): Promise<ApiKeyRecord | undefined>;

  /**
   * The keys with these ids, revoked and expired ones too, in any order; ids that name no key are left out. For at most
   * `MAX_LISTED_KEYS` ids at a time.
   */
  findByIds(keyIds: readonly string[]): Promise<readonly ApiKeyRecord[]>;

  /** Keeps a new key. Throws `conflict` when its id or its hash is taken. */
  insert(record: ApiKeyRecord): Promise<void>;

  /**
   * Keys of one workspace (null: the operators'), revoked and expired ones too, newest first by `createdAt`, at most
   * `MAX_LISTED_KEYS`.
   */
  list(query: { readonly workspaceId: number | null }): Promise<readonly ApiKeyRecord[]>;

  /** How many keys of a workspace are in force at an instant: neither revoked nor expired. */
  countInForce(query: { readonly workspaceId: number; readonly nowMs: number }): Promise<number>;

  /**
   * Revokes a key from now on. True when this call did it; false when there is no such key, when it belongs to another
   * workspace than the given one, or when it is revoked already. Without `workspaceId` it may be any workspace's.
   */
  revoke(query: { readonly keyId: string; readonly workspaceId?: number | undefined }): Promise<boolean>;
}
