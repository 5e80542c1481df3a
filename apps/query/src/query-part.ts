import { readModelCheck, type AppHost, type AppPart } from '@sluice/engine';
import type { QueryConfig } from './config';
import { queryOperations } from './http/operations';
import { QueryModule } from './query.module';
import { createQuerySignals } from './signals';

/** The query app as a part of a process. */
export async function createQueryPart(host: AppHost, config: QueryConfig): Promise<AppPart> {
  const { engine } = host;
  const module = QueryModule.register({
    config,
    readModel: await engine.readModel(),
    sandboxes: await engine.sandboxes(),
    directory: await engine.agentDirectory(),
    apiKeys: await engine.apiKeys(),
    access: await host.access(),
    gatekeeper: await host.gatekeeper(),
    // Asked for by administration only: a process that serves reads alone never opens the log.
    durableLog: () => engine.durableLog(),
    // Asked for by one door only.
    webhooks: () => engine.webhookStore(),
    signals: createQuerySignals(host.metrics, host.logger),
  });
  return { name: 'query', module, checks: [await readModelCheck(engine)], operations: queryOperations };
}
