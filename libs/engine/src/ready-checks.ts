import type { ReadyCheck } from '@sluice/service-runtime';
import type { Engine } from './engine';

/** Whether the read model can be used. */
export async function readModelCheck(engine: Engine): Promise<ReadyCheck> {
  const readModel = await engine.readModel();
  return { name: 'read_model', check: () => readModel.check() };
}

/** Whether the durable log can be used. */
export async function durableLogCheck(engine: Engine): Promise<ReadyCheck> {
  const log = await engine.durableLog();
  return { name: 'durable_log', check: () => log.check() };
}
