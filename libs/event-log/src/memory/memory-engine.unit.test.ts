import {
  describeDeliveryLog,
  describeDurableLog,
  describeReadModel,
  describeReadModelRebuilds,
  rejectPoison,
} from '../conformance';
import { InProcessDeliveryLog } from './memory-delivery-log';
import { MemoryDurableLog } from './memory-durable-log';
import { MemoryReadModel } from './memory-read-model';

describeDurableLog('memory', async () => {
  const log = new MemoryDurableLog();
  return { open: async () => log, destroy: () => log.close() };
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
