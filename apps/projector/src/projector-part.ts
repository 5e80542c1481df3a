import { durableLogCheck, readModelCheck, type AppHost, type AppPart } from '@sluice/engine';
import type { ProjectorConfig } from './config';
import { createErasureBacklogWorker } from './erasure/erasure-backlog';
import { createErasureWorker } from './erasure/erasure-worker';
import { projectorOperations } from './http/operations';
import { Projector } from './projector';
import { ProjectorModule } from './projector.module';
import { Publisher } from './publisher';
import { createRebuildWorker } from './rebuild/rebuild-worker';
import { createRetentionWorker } from './retention/retention-worker';
import { createProjectorSignals } from './signals';

/** The projector app as a part of a process. */
export async function createProjectorPart(host: AppHost, config: ProjectorConfig): Promise<AppPart> {
  const { engine, logger, metrics } = host;
  const signals = createProjectorSignals(metrics, logger);
  const readModel = await engine.readModel();
  const rebuilds = await engine.readModelRebuilds();
  const erasures = await engine.erasures();
  const retention = await engine.eventRetention();
  const durableLog = await engine.durableLog();
  const deliveryLog = await engine.deliveryLog();
  const holder = crypto.randomUUID();
  const publisher = new Publisher({ readModel, deliveryLog, signals, holder });
  const projector = new Projector({ durableLog, readModel, publisher, signals, ...config });
  return {
    name: 'projector',
    module: ProjectorModule.register({ rebuilds, erasures, retention, durableLog, signals }, await host.gatekeeper()),
    // The publisher ends after the projector, so that it publishes what was recorded last.
    workers: [
      { name: 'publisher', start: () => publisher.start(), stop: () => publisher.stop() },
      { name: 'projector', start: () => projector.start(), stop: () => projector.stop() },
      createRebuildWorker({ rebuilds, durableLog, signals, holder, ...config }),
      createRetentionWorker({ retention, signals, holder }),
      createErasureWorker({ erasures, durableLog, deliveryLog, readModel, signals, holder, ...config }),
      createErasureBacklogWorker({ erasures, signals }),
    ],
    checks: [await durableLogCheck(engine), await readModelCheck(engine)],
    operations: projectorOperations,
  };
}
