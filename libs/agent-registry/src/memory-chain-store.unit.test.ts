import { chainStoreConformance } from './conformance';
import { MemoryChainStore } from './memory-chain-store';

chainStoreConformance('memory', async () => {
  const store = new MemoryChainStore();
  return { open: async () => store, destroy: async () => undefined };
});
