import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { KAFKA_VERSION, NATS_SERVER_VERSION } from './install.mjs';
import { kafkaSettings } from './kafka.mjs';
import { freePort } from './ports.mjs';
import { READY_CHECKS, untilReady } from './ready.mjs';

const PING_TIMEOUT_MS = 1_000;
const START_TIMEOUT_MS = 120_000;
export const POSTGRES_IMAGE = 'postgres:18-alpine';
const PASSWORD = 'sluice';

/** Whether a Docker engine answers within a second, by the address in DOCKER_HOST or on the usual sockets. */
export async function dockerAnswers({ dockerHost, runtimeDir }) {
  if (dockerHost && !dockerHost.startsWith('unix://')) {
    const url = new URL(dockerHost);
    if (url.protocol === 'ssh:') return false;
    return ping({ host: url.hostname, port: Number(url.port || 2375) });
  }
  const sockets = dockerHost
    ? [dockerHost.slice('unix://'.length)]
    : [
        '/var/run/docker.sock',
        join(homedir(), '.docker', 'run', 'docker.sock'),
        ...(runtimeDir ? [join(runtimeDir, 'docker.sock')] : []),
      ];
  for (const socketPath of sockets) {
    if (existsSync(socketPath) && (await ping({ socketPath }))) return true;
  }
  return false;
}

function ping(target) {
  return new Promise((resolve) => {
    const call = request({ ...target, path: '/_ping', timeout: PING_TIMEOUT_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.once('timeout', () => call.destroy());
    call.once('error', () => resolve(false));
    call.once('close', () => resolve(false));
    call.end();
  });
}

const RECIPES = {
  nats: async ({ GenericContainer, host }) => {
    const port = await freePort();
    const container = new GenericContainer(`nats:${NATS_SERVER_VERSION}-alpine`)
      .withExposedPorts({ container: 4222, host: port })
      .withCommand(['-js', '-sd', '/data']);
    return { container, address: `nats://${host}:${port}` };
  },
  kafka: async ({ GenericContainer, host }) => {
    const port = await freePort();
    const settings = kafkaSettings({
      listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      advertised: `PLAINTEXT://${host}:${port}`,
      controller: 'localhost:9093',
      logDir: '/tmp/kafka-logs',
    });
    const variable = (key) => `KAFKA_${key.toUpperCase().replaceAll('.', '_')}`;
    const environment = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [variable(key), String(value)]),
    );
    const container = new GenericContainer(`apache/kafka:${KAFKA_VERSION}`)
      .withExposedPorts({ container: 9092, host: port })
      .withEnvironment({ ...environment, KAFKA_HEAP_OPTS: '-Xmx512m' });
    return { container, address: `${host}:${port}` };
  },
  postgres: async ({ GenericContainer, host, durable }) => {
    const port = await freePort();
    const flags = [
      'max_connections=200',
      ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
    ];
    const container = new GenericContainer(POSTGRES_IMAGE)
      .withExposedPorts({ container: 5432, host: port })
      .withEnvironment({ POSTGRES_USER: 'sluice', POSTGRES_PASSWORD: PASSWORD, POSTGRES_DB: 'sluice' })
      .withCommand(['postgres', ...flags.flatMap((flag) => ['-c', flag])]);
    return { container, address: `postgresql://sluice:${PASSWORD}@${host}:${port}/sluice` };
  },
};

/**
 * Starts one broker as a container and resolves when it is ready. Its data live and die with it.
 *
 * @param {'kafka' | 'nats' | 'postgres'} name
 */
export async function startContainer(name, { durable }) {
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  const { host } = (await getContainerRuntimeClient()).info.containerRuntime;
  const { container, address } = await RECIPES[name]({ GenericContainer, host, durable });
  const started = await container.withStartupTimeout(START_TIMEOUT_MS).start();
  try {
    await untilReady(() => READY_CHECKS[name](address), { deadlineMs: START_TIMEOUT_MS });
  } catch (error) {
    await started.stop();
    throw error;
  }
  return { source: 'container', address, stop: () => started.stop() };
}
