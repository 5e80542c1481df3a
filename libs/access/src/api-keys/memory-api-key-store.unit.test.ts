import { describeApiKeyStore } from '../conformance';
import { hashApiKey, newApiKeyText } from './api-key-text';
import { MAX_LISTED_KEYS } from './api-key-store';
import { MemoryApiKeyStore } from './memory-api-key-store';

describeApiKeyStore('memory', async () => {
  const store = new MemoryApiKeyStore();
  return { open: async () => store, destroy: async () => undefined };
});

describe('MemoryApiKeyStore', () => {
  it('lists a bounded number, the newest', async () => {
    const store = new MemoryApiKeyStore();
    for (let n = 0; n <= MAX_LISTED_KEYS; n++) {
      const hash = await hashApiKey(newApiKeyText());
      await store.insert({ keyId: crypto.randomUUID(), hash, workspaceId: 1, role: 'reader', name: 'n', createdAt: n });
    }
    const listed = await store.list({ workspaceId: 1 });
    expect(listed).toHaveLength(MAX_LISTED_KEYS);
    expect(listed.at(-1)?.createdAt).toBe(1);
  });
});
