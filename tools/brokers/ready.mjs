import { connect } from 'node:net';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';

const require = createRequire(import.meta.url);
const POLL_INTERVAL_MS = 50;
const CHECK_TIMEOUT_MS = 5_000;
const INFO_LIMIT_CHARS = 64 * 1024;

/**
 * Repeats `check` until it succeeds, `deadlineMs` has passed, or `giveUp` returns a reason.
 * Rejects with the reason, or with the last error of the check.
 */
export async function untilReady(check, { deadlineMs, giveUp = () => undefined }) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      const reason = giveUp();
      if (reason) throw new Error(reason);
      if (Date.now() >= end) throw new Error(`not ready after ${deadlineMs} ms: ${error.message}`);
    }
    await delay(POLL_INTERVAL_MS);
  }
}

/** Opens a TCP connection; with `onData`, reads until that returns a value. */
function probe(host, port, onData) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const fail = (error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(CHECK_TIMEOUT_MS, () => fail(new Error(`${host}:${port} does not answer`)));
    socket.once('error', fail);
    socket.once('close', () => fail(new Error(`${host}:${port} closed the connection`)));
    socket.once('connect', () => {
      if (!onData) {
        socket.destroy();
        resolve(undefined);
      }
    });
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      try {
        const value = onData?.(text);
        if (value === undefined && text.length < INFO_LIMIT_CHARS) return;
        resolve(value);
        socket.destroy();
      } catch (error) {
        fail(error);
      }
    });
  });
}

/** Ready when the server's greeting says that JetStream is on. @param {string} natsUrl */
export async function checkNats(natsUrl) {
  const first = natsUrl.split(',')[0].trim();
  const url = new URL(first.includes('://') ? first : `nats://${first}`);
  const info = await probe(url.hostname, Number(url.port || 4222), (text) => {
    const end = text.indexOf('\r\n');
    if (end === -1) return undefined;
    if (!text.startsWith('INFO ')) throw new Error(`${url.host} is no NATS server`);
    return JSON.parse(text.slice(5, end));
  });
  if (info?.jetstream !== true) throw new Error(`${url.host} has JetStream switched off`);
}

/** Ready when the cluster's metadata names a live broker. @param {string} brokers `host:port[,host:port...]` */
export async function checkKafka(brokers) {
  const list = brokers.split(',').map((broker) => broker.trim());
  const [host, port] = splitHostPort(list[0]);
  await probe(host, port);
  const { Kafka, logLevel } = require('kafkajs');
  const kafka = new Kafka({
    clientId: 'sluice-brokers',
    brokers: list,
    logLevel: logLevel.NOTHING,
    connectionTimeout: CHECK_TIMEOUT_MS,
    requestTimeout: CHECK_TIMEOUT_MS,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    if (cluster.brokers.length === 0) throw new Error('no broker is registered yet');
  } finally {
    await admin.disconnect();
  }
}

/** Ready when a query is answered. @param {string} databaseUrl */
export async function checkPostgres(databaseUrl) {
  const { Client } = require('pg');
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: CHECK_TIMEOUT_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}

function splitHostPort(address) {
  const colon = address.lastIndexOf(':');
  if (colon < 1) throw new Error(`"${address}" is not host:port`);
  return [address.slice(0, colon).replace(/^\[|\]$/g, ''), Number(address.slice(colon + 1))];
}

/** The readiness check of each broker, by name. */
export const READY_CHECKS = { kafka: checkKafka, nats: checkNats, postgres: checkPostgres };
