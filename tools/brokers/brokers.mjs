import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BrokerError, lastLines } from './command.mjs';
import { ADDRESS_VARIABLES, readConfig } from './config.mjs';
import { dockerAnswers, startContainer } from './containers.mjs';
import { prepareKafka } from './kafka.mjs';
import { ManagedProcess } from './managed-process.mjs';
import { prepareNats } from './nats.mjs';
import { preparePostgres } from './postgres.mjs';
import { startReaper } from './reaper.mjs';
import { READY_CHECKS, untilReady } from './ready.mjs';

/** @typedef {'kafka' | 'nats' | 'postgres'} BrokerName */
/** @typedef {'environment' | 'container' | 'process'} BrokerSource */

/** @type {readonly BrokerName[]} */
export const BROKER_NAMES = ['kafka', 'nats', 'postgres'];
/** @type {readonly BrokerSource[]} in order of preference */
export const BROKER_SOURCES = ['environment', 'container', 'process'];

const GIVEN_ADDRESS_TIMEOUT_MS = 15_000;
const PORT_ATTEMPTS = 3;
const PORT_TAKEN = /address already in use|in use|EADDRINUSE|BindException/i;

/**
 * Each `prepare` installs what is missing, lays out the data, and resolves with
 * `{ address, checkAddress?, command, wipe, afterStart?, storeDir? }`: how to reach, run and empty the broker.
 */
const PREPARE = { kafka: prepareKafka, nats: prepareNats, postgres: preparePostgres };

/**
 * Gives real brokers: from the environment, else as containers, else as local processes, decided per broker.
 *
 * Resolves when each has passed a check in its own protocol. Everything that this call started is ended by `stop()`,
 * and also when this process ends in any way, SIGKILL included. It installs no signal handler and does not keep the
 * event loop alive.
 *
 * @param {{
 *   need?: BrokerName[],
 *   durable?: boolean,
 *   dataDir?: string,
 *   sources?: BrokerSource[],
 *   log?: (line: string) => void,
 * }} [options] `need`: which, all by default. `durable` (default true): false lets PostgreSQL skip fsync and the JVM
 *   skip its optimising compiler, for tests. `dataDir`: processes keep their data there over `stop()`; by default they
 *   live in a temporary folder that is removed. `sources`: which ways are allowed, all by default.
 * @throws {BrokerError} one clear line, and the end of the broker's log, where a broker cannot be had
 */
export async function startBrokers(options = {}) {
  const { need = BROKER_NAMES, durable = true, dataDir, sources = BROKER_SOURCES, log = () => undefined } = options;
  requireKnown('broker', need, BROKER_NAMES);
  requireKnown('source', sources, BROKER_SOURCES);
  const config = readConfig();
  const scratchFolder = await mkdtemp(join(config.tempDir, 'sluice-brokers-'));
  // The server of PostgreSQL may run as another user, who must be able to pass through.
  await chmod(scratchFolder, 0o711);
  const folder = dataDir ? resolve(dataDir) : scratchFolder;
  const keepData = dataDir !== undefined;
  const reaper = startReaper([scratchFolder]);
  const context = { config, folder, scratchFolder, keepData, durable, sources, reaper, log };

  const running = {};
  const stop = async () => {
    const results = await Promise.allSettled(Object.values(running).map((broker) => broker.stop()));
    reaper.done();
    await rm(scratchFolder, { recursive: true, force: true });
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  };

  try {
    await mkdir(folder, { recursive: true });
    const docker = sources.includes('container') && needsMore(need, config, sources) && (await dockerAnswers(config));
    const starts = need.map(async (name) => {
      const startedAtMs = Date.now();
      running[name] = await startOne(name, { ...context, docker });
      log(`${name}: ready after ${Date.now() - startedAtMs} ms (${running[name].source})`);
    });
    const failures = (await Promise.allSettled(starts)).filter(({ status }) => status === 'rejected');
    if (failures.length > 0) throw new BrokerError(failures.map(({ reason }) => reason.message).join('\n'));
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }

  let stopping;
  return {
    kafkaBrokers: running.kafka?.address,
    natsUrl: running.nats?.address,
    databaseUrl: running.postgres?.address,
    natsStoreDir: running.nats?.storeDir,
    get kafkaPid() {
      return running.kafka?.pid;
    },
    get natsPid() {
      return running.nats?.pid;
    },
    get postgresPid() {
      return running.postgres?.pid;
    },
    /** @type {Partial<Record<BrokerName, BrokerSource>>} */
    source: Object.fromEntries(Object.entries(running).map(([name, broker]) => [name, broker.source])),
    /**
     * Ends one broker and starts it again on the same port; resolves when it is ready. Only for local processes.
     *
     * @param {BrokerName} name
     * @param {{ signal?: 'SIGKILL' | 'SIGTERM', wipeData?: boolean, whileDown?: () => Promise<void> | void }} [how]
     *   `signal`: SIGTERM by default. `wipeData`: it comes back empty. `whileDown`: awaited between end and start.
     */
    restart: async (name, how) => {
      const broker = running[name];
      if (!broker?.restart) {
        throw new BrokerError(
          `${name} cannot be restarted: ${broker ? `its source is ${broker.source}` : 'it is not started'}`,
        );
      }
      await broker.restart(how);
    },
    /** Ends what was started and removes temporary data. Safe to call twice. */
    stop: () => (stopping ??= stop()),
  };
}

/** Fills the cache with what local processes need, and starts nothing. */
export async function installBrokers({ need = BROKER_NAMES, log = () => undefined } = {}) {
  // A short run on local processes is the only install that proves itself.
  const brokers = await startBrokers({ need, durable: false, sources: ['process'], log });
  await brokers.stop();
}

function requireKnown(kind, given, known) {
  const wrong = given.find((name) => !known.includes(name));
  if (wrong !== undefined) throw new BrokerError(`unknown ${kind} "${wrong}"; there are: ${known.join(', ')}`);
}

function needsMore(need, config, sources) {
  return need.some((name) => !(sources.includes('environment') && config.addresses[name]));
}

async function startOne(name, context) {
  const { config, docker, durable, sources, log } = context;
  const given = sources.includes('environment') ? config.addresses[name] : undefined;
  if (given) {
    await untilReady(() => READY_CHECKS[name](given), { deadlineMs: GIVEN_ADDRESS_TIMEOUT_MS }).catch((error) => {
      throw new BrokerError(`${name}: ${ADDRESS_VARIABLES[name]} names a broker that does not work: ${error.message}`);
    });
    return { source: 'environment', address: given, stop: async () => undefined };
  }
  if (docker) {
    try {
      return await startContainer(name, { durable });
    } catch (error) {
      if (!sources.includes('process')) throw new BrokerError(`${name}: no container: ${error.message}`);
      log(`${name}: no container, so a local process: ${lastLines(error.message, 1)}`);
    }
  }
  if (!sources.includes('process')) {
    throw new BrokerError(
      `${name}: set ${ADDRESS_VARIABLES[name]}${sources.includes('container') ? ' or start Docker' : ''}`,
    );
  }
  return startProcess(name, context);
}

async function startProcess(name, context) {
  for (let attempt = 1; ; attempt += 1) {
    const prepared = await PREPARE[name](context);
    const { address, checkAddress = address, command, wipe, afterStart, storeDir } = prepared;
    const logFile = join(context.folder, `${name}.log`);
    const server = new ManagedProcess({ name, command, reaper: context.reaper, logFile, log: context.log });
    const start = async () => {
      await server.start(() => READY_CHECKS[name](checkAddress));
      await afterStart?.();
    };
    try {
      await start();
    } catch (error) {
      await server.stop('SIGKILL');
      if (attempt < PORT_ATTEMPTS && PORT_TAKEN.test(error.message)) continue;
      throw error;
    }
    return {
      source: 'process',
      address,
      storeDir,
      get pid() {
        return server.pid;
      },
      restart: async ({ signal = 'SIGTERM', wipeData = false, whileDown } = {}) => {
        await server.stop(signal);
        if (wipeData) await wipe();
        await whileDown?.();
        await start();
      },
      stop: () => server.stop(),
    };
  }
}
