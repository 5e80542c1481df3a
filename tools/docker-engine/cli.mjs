import { parseArgs } from 'node:util';
import { BrokerError } from '../brokers/command.mjs';
import { makeBaseImages } from './base-images.mjs';
import { installCompose } from './compose-plugin.mjs';
import { readConfig } from './config.mjs';
import { installEngine, removeEngine, startEngine, stopEngine } from './engine.mjs';
import { buildImages, sizesOfImages } from './images.mjs';
import { checkContainers, checkStack, describeStack, startStack, startTimes, stopStack } from './stack.mjs';
import { APPS } from '../cluster/cluster.mjs';

const USAGE = `usage: node tools/docker-engine/cli.mjs ORDER
  start          install the engine where it is missing, start it, make base images
  images [APP..] build the images of all apps, or of these
  up             start the compose stack from these images; print addresses and keys as JSON
  check          run the end-to-end tests against the stack
  brokers        start Kafka, NATS and PostgreSQL by testcontainers, ask each, and end them
  measure        print the sizes of images and the start times of the stack's apps
  down [--wipe]  end the stack; --wipe removes its data
  stop           end the engine and all its containers
  remove         end the engine and remove everything that was made, images too
  env            print what a shell needs to use this engine: eval "$(node tools/docker-engine/cli.mjs env)"`;

const log = (line) => process.stderr.write(`${line}\n`);
const config = readConfig();

const ORDERS = {
  start: async () => {
    await installEngine({ config, log });
    await startEngine({ config, log });
    await makeBaseImages({ config, log });
    await installCompose({ config, log });
  },
  images: (apps) => buildImages({ config, log, ...(apps.length > 0 && { apps }) }),
  up: async () => {
    await startStack({ config, log });
    console.log(JSON.stringify(await describeStack({ config })));
  },
  check: () => checkStack({ config }),
  brokers: () => checkContainers({ config, log }),
  measure: async () => {
    console.table(await sizesOfImages({ config }));
    console.table(await startTimes({ config, services: APPS }));
  },
  down: (_, { wipe }) => stopStack({ config, wipe }),
  stop: () => stopEngine({ config, log }),
  remove: () => removeEngine({ config, log }),
  env: () => {
    // For testcontainers too: its helper that removes containers is an image that cannot be had here.
    console.log(`export DOCKER_HOST=${config.dockerHost} DOCKER_CONFIG=${config.clientFolder} DOCKER_BUILDKIT=1`);
    console.log(`export PATH=${config.programs}/usr/bin:$PATH`);
    console.log('export TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1');
  },
};

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { wipe: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  const [order, ...rest] = positionals;
  if (values.help || !(order in ORDERS)) {
    log(USAGE);
    process.exitCode = values.help ? 0 : 2;
  } else await ORDERS[order](rest, values);
} catch (error) {
  log(error instanceof BrokerError ? error.message : String(error?.stack ?? error));
  process.exitCode = 1;
}
