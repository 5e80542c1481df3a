import { describeConnectionSlots } from '@sluice/access/conformance';
import { testNatsUrl } from './testing/config';
import { TestReplicas } from './testing/test-replicas';

describeConnectionSlots('NATS', async () => {
  const replicas = new TestReplicas(testNatsUrl());
  return {
    open: async () => (await replicas.open()).coordination.connectionSlots,
    destroy: () => replicas.destroy(),
  };
});
