import {
  describeDeliveryLog,
  describeDurableLog,
  describeEntityKeys,
  describeLogErasure,
  describeReadModel,
  describeReadModelRebuilds,
  describeRemoval,
  rejectPoison,
} from '../conformance';
import { InProcessDeliveryLog } from './memory-delivery-log';
import { MemoryDurableLog } from './memory-durable-log';
import { MemoryEntityKeys } from './memory-entity-keys';
import { MemoryReadModel } from './memory-read-model';

describeDurableLog('memory', async () => {
  const log = new MemoryDurableLog();
  return { open: async () => log, destroy: () => log.close() };
});

describeLogErasure('memory', async () => {
  const log = new MemoryDurableLog();
  return { open: async () => log, destroy: () => log.close() };
});

describeEntityKeys('memory', async () => {
  const keys = new MemoryEntityKeys();
  return { open: async () => keys, destroy: async () => undefined };
});

describeDeliveryLog('in process', async () => {
  const log = new InProcessDeliveryLog();
  return { open: async () => log, destroy: () => log.close() };
});

describeReadModel('memory', async () => {
  const model = new MemoryReadModel({ project: rejectPoison });
  return { open: async () => model, destroy: () => model.close() };
});

describeReadModelRebuilds('memory', async () => {
  const model = new MemoryReadModel();
  return { open: async () => ({ model, rebuilds: model.rebuilds }), destroy: () => model.close() };
});

describeRemoval('memory', async () => {
  const model = new MemoryReadModel();
  return {
    model,
    recordAged: (envelopes, ageMs) => {
      const now = jest.spyOn(Date, 'now').mockReturnValueOnce(Date.now() - ageMs);
      return model.record({ envelopes, parked: [], checkpoints: new Map() }).finally(() => now.mockRestore());
    },
    destroy: () => model.close(),
  };
});
