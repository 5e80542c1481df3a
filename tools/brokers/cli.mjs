import { rename, rm, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { BROKER_NAMES, installBrokers, startBrokers } from './brokers.mjs';
import { BrokerError } from './command.mjs';
import { ADDRESS_VARIABLES } from './config.mjs';

const USAGE = `usage: node tools/brokers/cli.mjs [install] [options]
  install            only fill the cache, then end
  --need a,b         which brokers: ${BROKER_NAMES.join(', ')} (all by default)
  --source a,b       allowed ways: environment, container, process (all by default)
  --no-durable       faster, and data do not survive a power cut
  --data-dir PATH    keep the data there
  --json-file PATH   also write the printed JSON there; removed at the end
  --control          obey orders on standard input, one a line, and end when it closes:
                     restart NAME [SIGKILL|SIGTERM] [wipe]`;

const log = (line) => process.stderr.write(`${line}\n`);

/** The addresses under the names of the environment variables, and the process ids. */
function describe(brokers) {
  return {
    [ADDRESS_VARIABLES.kafka]: brokers.kafkaBrokers,
    [ADDRESS_VARIABLES.nats]: brokers.natsUrl,
    [ADDRESS_VARIABLES.postgres]: brokers.databaseUrl,
    kafkaPid: brokers.kafkaPid,
    natsPid: brokers.natsPid,
    postgresPid: brokers.postgresPid,
    natsStoreDir: brokers.natsStoreDir,
    source: brokers.source,
  };
}

async function writeJsonFile(path, text) {
  // In two steps, so that nobody who waits for the file reads half of it. It holds the database's password.
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${text}\n`, { mode: 0o600 });
  await rename(draft, path);
}

async function obey(brokers, line) {
  const [order, name, ...rest] = line.trim().split(/\s+/);
  const signal = rest.find((word) => word.startsWith('SIG'));
  if (order !== 'restart' || !BROKER_NAMES.includes(name)) throw new BrokerError(`unknown order "${line}"`);
  await brokers.restart(name, { ...(signal ? { signal } : {}), wipeData: rest.includes('wipe') });
}

async function control(brokers) {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    const answer = await obey(brokers, line).then(
      () => ({ ok: true, order: line, ...describe(brokers) }),
      (error) => ({ ok: false, order: line, error: error.message }),
    );
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      need: { type: 'string' },
      source: { type: 'string' },
      'no-durable': { type: 'boolean', default: false },
      'data-dir': { type: 'string' },
      'json-file': { type: 'string' },
      control: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [command] = positionals;
  if (values.help || positionals.length > 1 || (command !== undefined && command !== 'install')) {
    log(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const need = values.need?.split(',');
  if (command === 'install') {
    await installBrokers({ need, log });
    return;
  }

  const ending = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => resolve(signal));
  });
  const starting = startBrokers({
    need,
    log,
    durable: !values['no-durable'],
    dataDir: values['data-dir'],
    sources: values.source?.split(','),
  });
  const early = await Promise.race([starting, ending]);
  // Told to end before all were up: what is there already ends with this process.
  if (typeof early === 'string') process.exit(1);
  const brokers = early;
  const keepAlive = setInterval(() => undefined, 60_000);
  try {
    const text = JSON.stringify(describe(brokers));
    if (values['json-file']) await writeJsonFile(values['json-file'], text);
    process.stdout.write(`${text}\n`);
    await Promise.race([ending, ...(values.control ? [control(brokers)] : [])]);
  } finally {
    if (values['json-file']) await rm(values['json-file'], { force: true });
    await brokers.stop();
    clearInterval(keepAlive);
  }
  // Standard input may still be open.
  process.exit();
}

main().catch((error) => {
  log(
    error instanceof BrokerError || error?.code?.startsWith?.('ERR_PARSE_ARGS')
      ? `brokers: ${error.message}`
      : String(error?.stack ?? error),
  );
  process.exit(1);
});
