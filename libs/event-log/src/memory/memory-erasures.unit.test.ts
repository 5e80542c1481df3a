import { describeErasures } from '../conformance';
import { MemoryReadModel } from './memory-read-model';

describeErasures('memory', async () => {
  const model = new MemoryReadModel();
  return {
    open: async () => ({ model, erasures: model.erasures, rebuilds: model.rebuilds }),
    destroy: () => model.close(),
  };
});
