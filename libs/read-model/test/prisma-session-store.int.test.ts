import { describeSessionDocuments, describeSessionStore } from '@sluice/agent-sessions/conformance';
import { EMPTY_SESSIONS, shareReplicas } from './shared-replicas';

const replicas = shareReplicas();
const empty = async () => void (await replicas.query(EMPTY_SESSIONS));

describeSessionStore('PostgreSQL', async () => ({
  open: async () => replicas.open().sessionStore,
  destroy: empty,
}));

describeSessionDocuments('PostgreSQL', async () => ({
  open: async () => replicas.open().sessionDocuments,
  destroy: empty,
}));
