import { createAppHost, serveParts } from '@sluice/engine';
import { runMain } from '@sluice/service-runtime';
import { readConfig } from './config';
import { createIngestPart } from './ingest-part';

void runMain(async () => {
  const config = readConfig();
  const host = createAppHost(config.host);
  return serveParts(host, [await createIngestPart(host, config.ingest)]);
});
