import type { OperatorKeyConfig } from '../access-config';
import type { ApiKeyRecord } from './api-key-record';
import { hashApiKey } from './api-key-text';

/** The configured operator keys by hash. They live in memory only: taking one out of the configuration ends it. */
export async function operatorRecords(
  configured: readonly OperatorKeyConfig[],
): Promise<ReadonlyMap<string, ApiKeyRecord>> {
  const records = new Map<string, ApiKeyRecord>();
  for (const key of configured) {
    const hash = 'hash' in key ? key.hash : await hashApiKey(key.apiKey);
    records.set(hash, {
      keyId: keyIdOf(hash),
      hash,
      workspaceId: null,
      role: 'operator',
      name: key.name,
      createdAt: 0,
      limits: key.limits,
    });
  }
  return records;
}

/** The same id in every process and after every restart, without one having to be configured. */
function keyIdOf(hash: string): string {
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}
