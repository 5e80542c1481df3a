import { describeDurableLog, describeLogErasure } from '@sluice/event-log/conformance';
import { SealedWorld } from './sealed-harness';

async function createHarness() {
  const world = new SealedWorld();
  return { open: async () => world.open(), destroy: () => world.destroy() };
}

describeDurableLog('sealed, in memory', createHarness);
describeLogErasure('sealed, in memory', createHarness);
