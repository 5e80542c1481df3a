import { describeConnectionSlots } from '../conformance';
import { MemoryConnectionSlots } from './connection-slots';

describeConnectionSlots('memory', async () => {
  const slots = new MemoryConnectionSlots();
  return { open: async () => slots, destroy: () => slots.close() };
});
