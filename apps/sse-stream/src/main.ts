import { createAppHost, serveParts } from '@sluice/engine';
import { runMain } from '@sluice/service-runtime';
import { readConfig } from './config';
import { createSseStreamPart } from './sse-stream-part';

void runMain(async () => {
  const config = readConfig();
  const host = createAppHost(config.host);
  return serveParts(host, [await createSseStreamPart(host, config.sseStream)]);
});
