import { createAppHost, serveParts } from '@sluice/engine';
import { runApp } from '@sluice/service-runtime';
import { readConfig } from './config';
import { createWebhooksPart } from './webhooks-part';

void runApp(readConfig, async (config) => {
  const host = createAppHost(config.host);
  return serveParts(host, [await createWebhooksPart(host, config.webhooks)]);
});
