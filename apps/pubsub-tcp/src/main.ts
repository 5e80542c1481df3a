import { createAppHost, serveParts } from '@sluice/engine';
import { runMain } from '@sluice/service-runtime';
import { readConfig } from './config';
import { createPubSubPart } from './pubsub-part';

void runMain(async () => {
  const config = readConfig();
  const host = createAppHost(config.host);
  return serveParts(host, [await createPubSubPart(host, config.pubSub)]);
});
