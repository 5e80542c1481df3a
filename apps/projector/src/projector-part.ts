import { durableLogCheck, readModelCheck, type AppHost, type AppPart } from '@sluice/engine';
import type { ProjectorConfig } from './config';
import { Projector } from './projector';
import { Publisher } from './publisher';
import { createProjectorSignals } from './signals';

/** The projector app as a part of a process. It has no doors, so no Nest module either. */
export async function createProjectorPart(host: AppHost, config: ProjectorConfig): Promise<AppPart> {
  const { engine, logger, metrics } = host;
  const signals = createProjectorSignals(metrics, logger);
  const readModel = await engine.readModel();
  const durableLog = await engine.durableLog();
  const publisher = new Publisher({
    readModel,
    deliveryLog: await engine.deliveryLog(),
    signals,
    holder: crypto.randomUUID(),
  });
  const projector = new Projector({ durableLog, readModel, publisher, signals, ...config });
  return {
    name: 'projector',
    // The publisher ends after the projector, so that it publishes what was recorded last.
    workers: [
      { name: 'publisher', start: () => publisher.start(), stop: () => publisher.stop() },
      { name: 'projector', start: () => projector.start(), stop: () => projector.stop() },
    ],
    checks: [await durableLogCheck(engine), await readModelCheck(engine)],
  };
}
