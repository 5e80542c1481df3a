import { existsSync } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokerError, lastLines, run } from './command.mjs';

export const NATS_SERVER_VERSION = '2.14.9';
export const KAFKA_VERSION = '4.2.0';
const SCALA_VERSION = '2.13';
const SLF4J_VERSION = '1.7.36';
const MAVEN_DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
const INSTALL_TIMEOUT_MS = 15 * 60_000;
/** A draft older than this was left by an installer that was killed. */
const STALE_DRAFT_MS = 2 * INSTALL_TIMEOUT_MS;
/** The oldest server with the JetStream features that the delivery log is tested with. */
const NATS_RECOMMENDED = [2, 11];

/**
 * Makes `cacheDir/name` with `build` unless it is there already.
 *
 * The content is built in a folder beside it and renamed in one step, so any number of installers may run at
 * once: the first one wins and the others drop their work.
 */
export async function cached(cacheDir, name, build) {
  const target = join(cacheDir, name);
  if (existsSync(target)) return target;
  await mkdir(cacheDir, { recursive: true });
  await removeStaleDrafts(cacheDir, `.${name}-`);
  const draft = await mkdtemp(join(cacheDir, `.${name}-`));
  try {
    await build(draft);
    await rename(draft, target).catch((error) => {
      if (!existsSync(target)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return target;
}

async function removeStaleDrafts(cacheDir, prefix) {
  for (const entry of await readdir(cacheDir)) {
    if (!entry.startsWith(prefix)) continue;
    const path = join(cacheDir, entry);
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > STALE_DRAFT_MS) await rm(path, { recursive: true, force: true });
  }
}

/**
 * A `nats-server` binary: the cached one, else built by Go at the pinned version, else the one that is installed.
 *
 * @returns {Promise<string>} its path or command name
 */
export async function installNats({ cacheDir, childEnv, log }) {
  try {
    const folder = await cached(cacheDir, `nats-server-${NATS_SERVER_VERSION}`, async (draft) => {
      log(`nats: building nats-server ${NATS_SERVER_VERSION} with go install (once, about a minute)`);
      const { code, output } = await run(
        'go',
        ['install', '-trimpath', `github.com/nats-io/nats-server/v2@v${NATS_SERVER_VERSION}`],
        { timeoutMs: INSTALL_TIMEOUT_MS, env: { ...childEnv, GOBIN: draft, CGO_ENABLED: '0' } },
      );
      if (code !== 0) throw new BrokerError(`go install failed:\n${lastLines(output, 10)}`);
    });
    return join(folder, 'nats-server');
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    return installedNats(error, log);
  }
}

async function installedNats(reason, log) {
  for (const command of ['nats-server', '/usr/sbin/nats-server']) {
    const version = await run(command, ['--version'], { timeoutMs: 5_000 }).catch(() => undefined);
    const match = /v(\d+)\.(\d+)\.\S+/.exec(version?.output ?? '');
    if (!match) continue;
    const [text, major, minor] = match;
    const old = Number(major) * 1000 + Number(minor) < NATS_RECOMMENDED[0] * 1000 + NATS_RECOMMENDED[1];
    log(`nats: using the installed nats-server ${text} (${lastLines(reason.message, 1)})`);
    if (old) log(`nats: ${text} is older than ${NATS_RECOMMENDED.join('.')}; JetStream features may be missing`);
    return command;
  }
  throw new BrokerError(
    `nats: no nats-server: ${reason.message}. Install Go (1.26 or later) or nats-server, or set SLUICE_TEST_NATS_URL`,
  );
}

/**
 * The folder with Kafka's jars, fetched by Maven, and a class archive (AppCDS) that halves the broker's start time.
 *
 * @returns {Promise<string>}
 */
export async function installKafka({ cacheDir, javaBin, log }) {
  await requireJava(javaBin);
  return cached(cacheDir, `kafka-${KAFKA_VERSION}`, async (draft) => {
    log(`kafka: fetching Kafka ${KAFKA_VERSION} with Maven (once)`);
    const pom = join(draft, 'pom.xml');
    await writeFile(pom, pomXml());
    const goal = `${MAVEN_DEPENDENCY_PLUGIN}:copy-dependencies`;
    const args = ['-B', '-q', '-f', pom, goal, `-DoutputDirectory=${draft}`, '-DincludeScope=runtime'];
    const hint = 'Install Maven (Debian: apt-get install maven), or set SLUICE_TEST_KAFKA_BROKERS';
    const { code, output } = await run('mvn', args, { timeoutMs: INSTALL_TIMEOUT_MS }).catch((error) => {
      throw error.missing ? new BrokerError(`kafka: ${error.message}. ${hint}`) : error;
    });
    if (code !== 0) throw new BrokerError(`kafka: Maven failed. ${hint}\n${lastLines(output, 10)}`);
    await access(join(draft, `kafka_${SCALA_VERSION}-${KAFKA_VERSION}.jar`));
  });
}

async function requireJava(javaBin) {
  const hint =
    'Kafka needs Java 17 or later (Debian: apt-get install openjdk-17-jre-headless), or set SLUICE_TEST_KAFKA_BROKERS';
  const { output } = await run(javaBin, ['-version'], { timeoutMs: 30_000 }).catch((error) => {
    throw new BrokerError(`kafka: ${error.message}. ${hint}`);
  });
  const major = Number(/version "(?:1\.)?(\d+)/.exec(output)?.[1]);
  if (!(major >= 17)) throw new BrokerError(`kafka: Java ${major || 'of an unknown version'} found. ${hint}`);
}

function pomXml() {
  const dependency = (group, artifact, version) =>
    `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0">',
    '  <modelVersion>4.0.0</modelVersion>',
    '  <groupId>sluice.tools</groupId><artifactId>kafka-runtime</artifactId><version>1</version><packaging>pom</packaging>',
    '  <dependencies>',
    dependency('org.apache.kafka', `kafka_${SCALA_VERSION}`, KAFKA_VERSION),
    dependency('org.slf4j', 'slf4j-simple', SLF4J_VERSION),
    '  </dependencies>',
    '</project>',
    '',
  ].join('\n');
}
