import { SluiceError } from '@sluice/event-log';
import { wallClock, type Clock } from '../clock';
import { isInForce, type ApiKeyRecord } from './api-key-record';
import { MAX_LISTED_KEYS, type ApiKeyStore } from './api-key-store';

/** Most keys that the memory store takes; then `insert` throws `overloaded`. */
const MAX_KEYS = 100_000;

/** API keys in this process only: for tests, and as the readable meaning of the port. */
export class MemoryApiKeyStore implements ApiKeyStore {
  private readonly records = new Map<string, ApiKeyRecord>();
  private readonly keyIdsByHash = new Map<string, string>();

  constructor(private readonly clock: Clock = wallClock) {}

  async findByHash(hash: string): Promise<ApiKeyRecord | undefined> {
    const keyId = this.keyIdsByHash.get(hash);
    return keyId === undefined ? undefined : this.records.get(keyId);
  }

  async findByIds(keyIds: readonly string[]): Promise<readonly ApiKeyRecord[]> {
    return keyIds.slice(0, MAX_LISTED_KEYS).flatMap((keyId) => this.records.get(keyId) ?? []);
  }

  async insert(record: ApiKeyRecord): Promise<void> {
    if (this.records.has(record.keyId) || this.keyIdsByHash.has(record.hash)) {
      throw new SluiceError('conflict', 'This API key exists already');
    }
    if (this.records.size >= MAX_KEYS) throw new SluiceError('overloaded', 'Too many API keys');
    this.records.set(record.keyId, structuredClone(record));
    this.keyIdsByHash.set(record.hash, record.keyId);
  }

  async list({ workspaceId }: { readonly workspaceId: number | null }): Promise<readonly ApiKeyRecord[]> {
    return [...this.records.values()]
      .filter((record) => record.workspaceId === workspaceId)
      .sort((a, b) => b.createdAt - a.createdAt)
      .slice(0, MAX_LISTED_KEYS);
  }

  async countInForce(query: { readonly workspaceId: number; readonly nowMs: number }): Promise<number> {
    let count = 0;
    for (const record of this.records.values()) {
      if (record.workspaceId === query.workspaceId && isInForce(record, query.nowMs)) count++;
    }
    return count;
  }

  async revoke(query: { readonly keyId: string; readonly workspaceId?: number | undefined }): Promise<boolean> {
    const record = this.records.get(query.keyId);
    if (record === undefined || record.revokedAt !== undefined) return false;
    if (query.workspaceId !== undefined && record.workspaceId !== query.workspaceId) return false;
    this.records.set(record.keyId, { ...record, revokedAt: this.clock() });
    return true;
  }
}
