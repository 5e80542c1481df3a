import { createAppHost, serveParts } from '@sluice/engine';
import { runMain } from '@sluice/service-runtime';
import { CHECK_CONFIG_FLAG, checkConfig } from './check-config';
import { readConfig } from './config';
import { createQueryPart } from './query-part';

if (process.argv.includes(CHECK_CONFIG_FLAG)) {
  process.exitCode = checkConfig(readConfig);
} else {
  void runMain(async () => {
    const config = readConfig();
    const host = createAppHost(config.host);
    return serveParts(host, [await createQueryPart(host, config.query)]);
  });
}
