import { createAppHost, serveParts } from '@sluice/engine';
import { createIngestPart } from '@sluice/ingest';
import { createProjectorPart } from '@sluice/projector';
import { createPubSubPart } from '@sluice/pubsub-tcp';
import { createQueryPart } from '@sluice/query';
import { runApp } from '@sluice/service-runtime';
import { createSseStreamPart } from '@sluice/sse-stream';
import { readBasics, readConfig } from './config';
import { prepareDataFolder } from './data-folder';
import { announce, writeDevFile } from './dev-file';

/** The process makes its own database where it has none; everything else is known, and told when bad, before that. */
function readChecked(): ReturnType<typeof readBasics> {
  const basics = readBasics();
  readConfig(basics.SLUICE_ENGINE === 'embedded' ? { SLUICE_DATABASE_URL: 'postgresql://localhost' } : {});
  return basics;
}

void runApp(readChecked, async (basics) => {
  const folder = await prepareDataFolder(basics);
  const config = readConfig(folder.fallbacks);
  const host = createAppHost(config.host);
  const pubSub = await createPubSubPart(host, config.pubSub);
  const service = serveParts(host, [
    await createProjectorPart(host, config.projector),
    await createIngestPart(host, config.ingest),
    await createSseStreamPart(host, config.sseStream),
    await createQueryPart(host, config.query),
    pubSub,
  ]);
  return {
    logger: host.logger,
    start: async () => {
      const started = await service.start();
      const addresses = { baseUrl: started.url, pubsub: { host: config.pubSub.host, port: pubSub.port() } };
      announce(await writeDevFile(basics, addresses, host));
      return started;
    },
    destroy: async () => {
      await service.destroy();
      await folder.close();
    },
  };
});
