import { durableLogCheck, readModelCheck, type AppHost, type AppPart } from '@sluice/engine';
import type { IngestConfig } from './config';
import { ingestOperations } from './http/operations';
import { IngestModule } from './ingest.module';

/** The ingest app as a part of a process. */
export async function createIngestPart(host: AppHost, config: IngestConfig): Promise<AppPart> {
  const { engine } = host;
  const module = IngestModule.register({
    config,
    durableLog: await engine.durableLog(),
    feed: await host.feed(),
    gatekeeper: await host.gatekeeper(),
    metrics: host.metrics,
    logger: host.logger,
  });
  const checks = [await durableLogCheck(engine), await readModelCheck(engine)];
  return { name: 'ingest', module, checks, operations: ingestOperations };
}
