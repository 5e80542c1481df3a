import { describeSessionDocuments, describeSessionStore } from './conformance';
import { MemorySessionDocuments } from './memory-session-documents';
import { MemorySessionStore } from './memory-session-store';

describeSessionStore('memory', async () => {
  const store = new MemorySessionStore();
  return { open: async () => store, destroy: async () => undefined };
});

describeSessionDocuments('memory', async () => {
  const documents = new MemorySessionDocuments();
  return { open: async () => documents, destroy: async () => undefined };
});
