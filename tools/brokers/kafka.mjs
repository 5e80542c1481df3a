import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokerError, lastLines, run } from './command.mjs';
import { installKafka } from './install.mjs';
import { ManagedProcess } from './managed-process.mjs';
import { freePort } from './ports.mjs';
import { checkKafka } from './ready.mjs';

const FORMAT_TIMEOUT_MS = 60_000;
const MESSAGE_MAX_BYTES = 4 * 1024 * 1024;

/**
 * The settings of a single combined broker and controller, the same for a process and for a container.
 *
 * @param {{ listeners: string, advertised: string, controller: string, logDir: string }} parts
 * @returns {Record<string, string | number | boolean>}
 */
export function kafkaSettings({ listeners, advertised, controller, logDir }) {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners,
    'advertised.listeners': advertised,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': logDir,
    'auto.create.topics.enable': false,
    'min.insync.replicas': 1,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // Fewer internal partitions and smaller buffers: one node in a test machine's memory.
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.num.partitions': 4,
    'log.cleaner.dedupe.buffer.size': 8 * 1024 * 1024,
    'group.initial.rebalance.delay.ms': 0,
    'message.max.bytes': MESSAGE_MAX_BYTES,
    'replica.fetch.max.bytes': MESSAGE_MAX_BYTES,
    // After kill -9 the node is let back in only when its former session has run out (9 s by default).
    'broker.session.timeout.ms': 4000,
    'broker.heartbeat.interval.ms': 1000,
  };
}

/** A local Kafka in KRaft mode; see `brokers.mjs` for the shape that all three brokers share. */
export async function prepareKafka({ config, folder, scratchFolder, durable, keepData, reaper, log }) {
  const jars = await installKafka({ ...config, log });
  const archive = await classArchive({ config, jars, scratchFolder, reaper, log });
  return kafkaNode({
    config,
    jars,
    folder,
    durable,
    keepData,
    jvmFlags: [`-XX:SharedArchiveFile=${archive}`, '-Xshare:auto'],
  });
}

/**
 * One node as a command.
 *
 * @param {object} parts
 * @param {Record<string, string>} [parts.moreSettings] go before those of `kafkaSettings`
 * @param {readonly string[]} [parts.formatArgs] of the tool that formats the storage
 */
export async function kafkaNode(parts) {
  const { config, jars, folder, durable, keepData, jvmFlags, moreSettings = {}, formatArgs = [] } = parts;
  const [port, controllerPort] = [await freePort(), await freePort()];
  const dataDir = join(folder, 'kafka');
  const propertiesFile = join(folder, 'kafka.properties');
  const controller = `127.0.0.1:${controllerPort}`;
  const address = `127.0.0.1:${port}`;
  const settings = kafkaSettings({
    listeners: `PLAINTEXT://${address},CONTROLLER://${controller}`,
    advertised: `PLAINTEXT://${address}`,
    controller,
    logDir: dataDir,
  });
  await mkdir(folder, { recursive: true });
  await writeFile(
    propertiesFile,
    Object.entries({ ...settings, ...moreSettings })
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const classPath = (await readdir(jars))
    .filter((file) => file.endsWith('.jar'))
    .sort()
    .map((file) => join(jars, file));
  const java = (...rest) => [
    ...jvmFlags,
    '-Xmx512m',
    // A test run is over before the optimising compiler pays; a durable set is there to be measured.
    ...(durable ? [] : ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']),
    '-XX:+ExitOnOutOfMemoryError',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
    '-cp',
    classPath.join(':'),
    ...rest,
  ];
  const format = async () => {
    if (existsSync(join(dataDir, 'meta.properties'))) return;
    const clusterId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url').replace(/^-/, 'A');
    const args = java('kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', propertiesFile, ...formatArgs);
    const { code, output } = await run(config.javaBin, args, { timeoutMs: FORMAT_TIMEOUT_MS });
    if (code !== 0) throw new BrokerError(`kafka: the storage could not be formatted:\n${lastLines(output, 10)}`);
  };
  await format();
  return {
    address,
    command: {
      file: config.javaBin,
      args: java('kafka.Kafka', propertiesFile),
      options: { cwd: folder },
      stopSignal: keepData ? 'SIGTERM' : 'SIGKILL',
    },
    wipe: async () => {
      await rm(dataDir, { recursive: true, force: true });
      await format();
    },
  };
}

/**
 * The path of the JVM's class archive for these jars, made by one short run of a throw-away node where it is missing.
 * It only saves time: the JVM ignores an archive that is missing or from another Java, so a failure is no error.
 */
async function classArchive({ config, jars, scratchFolder, reaper, log }) {
  const { output } = await run(config.javaBin, ['-version'], { timeoutMs: 30_000 });
  const version = /version "([^"]+)"/.exec(output)?.[1] ?? 'unknown';
  const archive = join(jars, `classes-${version}.jsa`);
  if (existsSync(archive)) return archive;
  log('kafka: recording the class archive (once)');
  const folder = join(scratchFolder, 'kafka-recording');
  const draft = join(jars, `.${randomUUID()}.jsa`);
  try {
    const jvmFlags = [`-XX:ArchiveClassesAtExit=${draft}`];
    const node = await kafkaNode({ config, jars, folder, durable: false, keepData: true, jvmFlags });
    await rm(draft, { force: true });
    const recording = new ManagedProcess({
      name: 'kafka',
      command: node.command,
      reaper,
      logFile: join(folder, 'log'),
      log,
    });
    await recording.start(() => checkKafka(node.address));
    await recording.stop();
    await rename(draft, archive);
  } catch (error) {
    log(`kafka: no class archive, so the start is slower: ${lastLines(error.message, 1)}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(draft, { force: true });
  }
  return archive;
}
