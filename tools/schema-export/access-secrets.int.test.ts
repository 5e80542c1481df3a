import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@sluice/event-log/conformance';
import { WebSocket } from 'ws';
import { makeCallers, type Callers } from './access-callers';
import { makeWorld, requestOf, type World } from './access-world';
import { AppProcess } from './child-process';
import { describedOperations, OPERATOR_KEY, TOKEN_SECRET } from './described-process';

/** What the one process shows a newcomer, once and on purpose: commands with the key of its own first workspace. */
const FIRST_STEPS = /\nSluice is ready at [^{]*{"type":"custom.event"[^\n]*\n[^{]*subscribe sandbox-123\n/;

const START_TIMEOUT_MS = 90_000;

/** A secret that cannot stand anywhere by chance, in the alphabet of keys. */
const marked = (): string => `leak${randomBytes(20).toString('hex')}`.slice(0, 43);

const key = `sk_${marked().padEnd(43, 'x')}`;
const bearer = marked();
const cookie = marked();
const queryToken = marked();
const queryKey = marked();
const vaultToken = marked();
const repositoryToken = marked();
const engineSecret = marked();
const urlPassword = marked();
/** Stands where nobody expects a secret. */
const garbage = marked();
const modelKey = marked();

const HEADERS = {
  'x-api-key': key,
  authorization: `Bearer ${bearer}`,
  cookie: `session=${cookie}`,
  referer: `https://user:${urlPassword}@page.example/?token=${queryToken}`,
};
const QUERY = `token=${queryToken}&api_key=${queryKey}&access_token=${bearer}&key=${key}`;

/** Bodies that carry a secret, faulty each in another way. */
const BODIES = [
  `{"auth":{"type":"static_bearer","token":"${vaultToken}","mcp_server_url":"https://user:${urlPassword}@mcp.example/"}}`,
  `{"secret":"${engineSecret}","url":"https://user:${urlPassword}@engine.example/?token=${queryToken}","name":7}`,
  `{"type":"github_repository","url":"${garbage}","authorization_token":"${repositoryToken}"}`,
  `{"token":"${vaultToken}", ${garbage}`,
  JSON.stringify({ [garbage]: vaultToken }),
];

/** The values of fields that are named like secrets, in what a door answered to who may know them. */
function secretsIn(text: string): readonly string[] {
  return [...text.matchAll(/"(?:apiKey|token|accessToken|secret|signingSecret|callbackSecret)":"([^"]{12,})"/g)].map(
    ([, secret = '']) => secret,
  );
}

describe('what a process writes, at its most talkative', () => {
  let dataDir: string;
  let running: AppProcess;
  let dev: { baseUrl: string; pubsub: { port: number }; apiKey: string; accessToken: string };
  let world: World;
  let callers: Callers;
  const given: string[] = [];
  const refusals: string[] = [];
  const secretsKey = randomBytes(32).toString('base64');

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'sluice-secrets-'));
    running = AppProcess.run('all-in-one', {
      SLUICE_ENGINE: 'memory',
      SLUICE_DATA_DIR: dataDir,
      SLUICE_HTTP_PORT: '0',
      SLUICE_GATEWAY_PORT: '0',
      SLUICE_PUBSUB_PORT: '0',
      SLUICE_LOG_LEVEL: 'debug',
      SLUICE_LOG_FORMAT: 'json',
      SLUICE_TOKEN_SECRETS: TOKEN_SECRET,
      SLUICE_OPERATOR_KEYS: OPERATOR_KEY,
      SLUICE_SECRETS_KEY: secretsKey,
      SLUICE_SESSION_MODEL_URL: 'http://127.0.0.1:9/v1/messages',
      SLUICE_SESSION_MODEL_KEY: modelKey,
      SLUICE_FAILED_AUTHENTICATIONS_PER_SECOND: '10000',
    });
    await until(
      () => {
        if (running.hasEnded) throw new Error(`it ended: ${running.written}`);
        return running.written.includes('Sluice is ready');
      },
      'the process starts',
      START_TIMEOUT_MS,
    );
    dev = JSON.parse(await readFile(join(dataDir, 'dev.json'), 'utf8')) as typeof dev;
    callers = await makeCallers(dev.baseUrl);
    world = await makeWorld(async (target, body) => JSON.parse(await asAdmin(target, body)));
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    running.end('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  });

  async function asAdmin(target: string, body: unknown): Promise<string> {
    const isForm = body instanceof FormData;
    const answer = await fetch(`${dev.baseUrl}${target.replace('GET ', '')}`, {
      method: target.startsWith('GET ') ? 'GET' : 'POST',
      headers: {
        ...callers.good.admin.headers,
        ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${target}: ${answer.status} ${text}`);
    given.push(...secretsIn(text));
    return text;
  }

  async function send(path: string, init: RequestInit): Promise<void> {
    const answer = await fetch(`${dev.baseUrl}${path}`, init);
    if (answer.headers.get('content-type')?.startsWith('text/event-stream') === true) return answer.body?.cancel();
    const text = await answer.text();
    if (answer.status >= 400) refusals.push(text);
    else given.push(...secretsIn(text));
  }

  it('takes secrets at every door of HTTP, refused and let in', async () => {
    for (const operation of describedOperations()) {
      const { method } = operation;
      const { path } = requestOf(operation, world);
      const isReading = method === 'GET' || method === 'HEAD';
      await send(`${path}?${QUERY}`, { method, headers: HEADERS });
      if (isReading || operation.requestBody === undefined) continue;
      for (const body of BODIES) {
        const headers = { ...HEADERS, ...callers.good.admin.headers, 'content-type': 'application/json' };
        await send(path, { method, headers, body });
      }
    }
    await send(`/nowhere/${garbage}?${QUERY}`, { headers: HEADERS });
    await send(`/%${garbage}?${QUERY}`, { headers: HEADERS });
    await send('/v1/sessions', { method: 'OPTIONS', headers: HEADERS });
    await asAdmin('/v1/vaults', { display_name: 'With a secret' }).then(async (text) => {
      const { id } = JSON.parse(text) as { id: string };
      const auth = { type: 'static_bearer', token: vaultToken, mcp_server_url: 'https://mcp.example/' };
      await asAdmin(`/v1/vaults/${id}/credentials`, { display_name: 'x', auth });
    });
    await asAdmin('/v1/webhooks', { url: `https://hooks.example/?token=${queryToken}` });
    expect(refusals.length).toBeGreaterThan(200);
    expect(given.length).toBeGreaterThan(3);
  });

  it('takes them at the sockets and at the TCP port', async () => {
    for (const path of ['/ws', '/v1/socket']) {
      await new Promise<void>((resolve) => {
        const socket = new WebSocket(`${dev.baseUrl.replace('http', 'ws')}${path}?${QUERY}`, { headers: HEADERS });
        socket.on('error', () => resolve());
      });
      await new Promise<void>((resolve) => {
        const { headers = {} } = callers.good.admin;
        const socket = new WebSocket(`${dev.baseUrl.replace('http', 'ws')}${path}`, { headers });
        socket.on('open', () => {
          socket.send(JSON.stringify({ type: 'subscribe', token: bearer, apiKey: key, channel: garbage }));
          socket.send(`${garbage} {"token":"${bearer}"`);
          socket.close();
        });
        socket.on('close', () => resolve());
      });
    }
    const inputs = [
      `*2\r\n$4\r\nAUTH\r\n$${key.length}\r\n${key}\r\n`,
      `*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$${bearer.length}\r\n${bearer}\r\n`,
      `*2\r\n$${garbage.length}\r\n${garbage}\r\n$${key.length}\r\n${key}\r\n`,
      `*x${garbage}\r\n`,
      `SUBSCRIBE sandbox-123 ${key}\r\n`,
      `SUBSCRIBE sandbox-123 ${dev.accessToken}\r\nPING\r\n`,
      `RESUME ${garbage}\r\n`,
      `${garbage} ${key}\r\n`,
    ];
    for (const input of inputs) await tell(dev.pubsub.port, input);
    const port = Number(new URL(dev.baseUrl).port);
    await tell(port, `GET /health?token=${queryToken} HTTP/9.9\r\nX-API-Key: ${key}\r\n\r\n`);
    await tell(port, `${garbage}\r\n\r\n`);
  });

  it('writes none of them: not in its log, its metrics or a refusal', async () => {
    const metrics = await (await fetch(`${dev.baseUrl}/metrics`)).text();
    expect(metrics).toContain('sluice_authentication_failures_total');
    running.end('SIGTERM');
    await running.exited;
    expect(running.written).toContain('"level":"debug"');
    expect(running.written).toContain('"message":"authentication failed"');
    expect(running.written).toContain('"message":"stopped"');
    expect(running.written).toMatch(FIRST_STEPS);
    const secrets = {
      key,
      bearer,
      cookie,
      queryToken,
      queryKey,
      vaultToken,
      repositoryToken,
      engineSecret,
      urlPassword,
      modelKey,
      secretsKey,
      TOKEN_SECRET,
      OPERATOR_KEY,
      devToken: dev.accessToken,
      ...Object.fromEntries(given.map((secret, place) => [`given ${place}`, secret])),
      ...Object.fromEntries(
        [...Object.entries(callers.good), ...Object.entries(callers.bad)].flatMap(([name, { text }]) =>
          text === undefined ? [] : [[`caller ${name}`, text]],
        ),
      ),
    };
    const places = { log: running.written.replace(FIRST_STEPS, ''), metrics, refusals: refusals.join('\n') };
    const leaks = Object.entries(secrets).flatMap(([name, secret]) =>
      Object.entries(places).flatMap(([place, text]) => {
        const at = text.indexOf(secret);
        return at === -1 ? [] : [`${name} in ${place}: ${text.slice(Math.max(0, at - 120), at + 20)}`];
      }),
    );
    expect(leaks).toEqual([]);
  });
});

/** Sends bytes, and waits for an answer or the end of the connection. */
async function tell(port: number, bytes: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.on('data', () => undefined);
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

describe('what a process writes that cannot start', () => {
  const password = marked();
  const CLUSTER = {
    SLUICE_DATABASE_URL: `postgresql://user:${password}@127.0.0.1:1/sluice`,
    SLUICE_NATS_URL: `nats://user:${password}@127.0.0.1:1`,
    SLUICE_NATS_TOKEN: password,
    SLUICE_KAFKA_BROKERS: '127.0.0.1:1',
    SLUICE_KAFKA_SASL: `plain,user,${password}`,
    SLUICE_TOKEN_SECRETS: `kid:${password}`,
    SLUICE_LOG_LEVEL: 'debug',
    SLUICE_HTTP_PORT: '0',
  };

  it.each<[string, Readonly<Record<string, string>>]>([
    ['without its database', {}],
    ['with another kind of database', { SLUICE_DATABASE_URL: `mysql://user:${password}@127.0.0.1/sluice` }],
    ['with a database address that is none', { SLUICE_DATABASE_URL: `postgresql://user:${password}@@:x/` }],
    ['with a broker address that holds a password', { SLUICE_KAFKA_BROKERS: `user:${password}@127.0.0.1:1` }],
    ['with a mechanism that is none', { SLUICE_KAFKA_SASL: `${password},user,${password}` }],
    ['with a bad operator key', { SLUICE_OPERATOR_KEYS: `sk_${password}!` }],
    ['with a short token secret', { SLUICE_TOKEN_SECRETS: password.slice(0, 20) }],
    ['with a key file that is none', { SLUICE_TLS_CERT_FILE: `/nowhere/cert`, SLUICE_TLS_KEY_FILE: '/nowhere/key' }],
  ])('keeps its passwords to itself: %s', async (_what, settings) => {
    const started = AppProcess.run('query', { ...CLUSTER, ...settings });
    expect(await started.exited).toBe(1);
    expect(started.written).not.toBe('');
    expect(started.written).not.toContain(password.slice(0, 20));
  });
});
