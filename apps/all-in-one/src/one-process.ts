import { createAppHost, serveParts, type AppHost } from '@sluice/engine';
import { createIngestPart } from '@sluice/ingest';
import { createProjectorPart } from '@sluice/projector';
import { createPubSubPart } from '@sluice/pubsub-tcp';
import { createQueryPart } from '@sluice/query';
import { createRegistryWatcherPart } from '@sluice/registry-watcher';
import type { Service } from '@sluice/service-runtime';
import { createSessionsPart } from '@sluice/sessions';
import { createSseStreamPart } from '@sluice/sse-stream';
import { createWebhooksPart } from '@sluice/webhooks';
import { createWorkspacePart } from '@sluice/workspace';
import { readConfig, type AllInOneConfig, type Fallbacks, type readBasics } from './config';
import type { DataFolder } from './data-folder';
import { announce, writeDevFile } from './dev-file';

/**
 * Every app as one service on a data folder, which it closes at its end, also when it cannot be created or started.
 * @throws SluiceError
 */
export async function createOneProcess(
  basics: ReturnType<typeof readBasics>,
  folder: DataFolder,
  readWith: (fallbacks: Fallbacks) => AllInOneConfig = readConfig,
): Promise<Service> {
  let close = () => folder.close();
  try {
    const config = readWith(folder.fallbacks);
    const host = hostOn(folder, config);
    close = () => host.close();
    return await createApps(basics, host, config);
  } catch (error) {
    await close();
    throw error;
  }
}

/** The database ends behind what uses it, and in the time that the drain has for that. */
function hostOn(folder: DataFolder, config: AllInOneConfig): AppHost {
  const host = createAppHost(config.host);
  return { ...host, close: () => host.close().finally(() => folder.close()) };
}

async function createApps(
  basics: ReturnType<typeof readBasics>,
  host: AppHost,
  config: AllInOneConfig,
): Promise<Service> {
  const pubSub = await createPubSubPart(host, config.pubSub);
  let ownUrl = '';
  const service = serveParts(host, [
    await createProjectorPart(host, config.projector),
    await createIngestPart(host, config.ingest),
    await createSseStreamPart(host, config.sseStream),
    await createQueryPart(host, config.query),
    // Behind the streams: what it still runs at the end waits for its events in their feed.
    await createWorkspacePart(host, config.workspace),
    await createRegistryWatcherPart(host, config.registryWatcher),
    await createSessionsPart(host, config.sessions, { callbackBase: () => ownUrl }),
    await createWebhooksPart(host, config.webhooks),
    pubSub,
  ]);
  return {
    logger: host.logger,
    start: async () => {
      const started = await service.start();
      ownUrl = started.url;
      try {
        const [gatewayUrl = started.url] = started.aliasUrls;
        const pubsub = { host: config.pubSub.host, port: pubSub.port() };
        const addresses = { baseUrl: started.url, gatewayUrl, pubsub };
        announce(await writeDevFile(basics, addresses, host));
      } catch (error) {
        await service.destroy();
        throw error;
      }
      return started;
    },
    destroy: () => service.destroy(),
  };
}
