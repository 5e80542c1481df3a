import { createAppHost, serveParts } from '@sluice/engine';
import { runMain } from '@sluice/service-runtime';
import { readConfig } from './config';
import { createProjectorPart } from './projector-part';

void runMain(async () => {
  const config = readConfig();
  const host = createAppHost(config.host);
  return serveParts(host, [await createProjectorPart(host, config.projector)]);
});
