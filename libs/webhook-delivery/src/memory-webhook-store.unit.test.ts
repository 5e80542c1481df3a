import { webhookStoreConformance } from './conformance';
import { MemoryWebhookStore, type MemoryEndpoints } from './memory-webhook-store';

webhookStoreConformance('memory', async () => {
  const endpoints: MemoryEndpoints = new Map();
  return {
    open: async (retention) => new MemoryWebhookStore({ endpoints, ...(retention && { retention }) }),
    destroy: async () => undefined,
  };
});
