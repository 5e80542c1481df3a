import { describeConnectionSlots } from '@sluice/access/conformance';
import { testNatsUrl } from '@sluice/nats-connection/conformance';
import { TestReplicas } from './testing/test-replicas';

describeConnectionSlots('NATS', async () => {
  const replicas = new TestReplicas(testNatsUrl());
  return {
    open: async () => (await replicas.open()).coordination.connectionSlots,
    destroy: () => replicas.destroy(),
  };
});
