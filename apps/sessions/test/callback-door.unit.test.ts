import { connect, type Socket } from 'node:net';
import { signWebhook } from '@sluice/signed-webhooks';
import { END, message as said, sendReport, SessionEngine, type EngineCall } from './support/session-engine';
import { message, startSessions, until, type SessionsApp } from './support/sessions-app';

let app: SessionsApp;
let engine: SessionEngine;
let engineId: string;

beforeAll(async () => {
  engine = await SessionEngine.start();
  app = await startSessions({
    SLUICE_ALLOW_PRIVATE_URLS: new URL(engine.url).origin,
    SLUICE_KEY_REQUESTS_PER_SECOND: '1000',
  });
  const { body } = await app.call('POST', '/runtime/v1/engines', { name: 'test', url: engine.url });
  engine.secrets.push(body.secret);
  engineId = body.id;
});
afterAll(async () => {
  await app.stop();
  await engine.stop();
  expect(engine.faults).toEqual([]);
});

async function silentRun(): Promise<EngineCall> {
  const session = await app.session(engineId);
  await app.send(session, message('silent'));
  return until(() => engine.calls.find((call) => call.session_id === session));
}

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Sends the head of a report that announces a body, and none of the body. Gives what is answered by then. */
function announce(url: string, headers: object, bytes: number): { readonly answer: () => string } {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.on('error', () => undefined);
  const lines = Object.entries({ host: 'x', 'content-type': 'application/json', 'content-length': bytes, ...headers });
  socket.write(`POST ${pathname} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  return { answer: () => answer };
}

const signed = (secret: string, timestampMs = Date.now()) =>
  signWebhook({ secret, id: 'msg_1', timestampMs, body: 'something else' });
const SECRET = `whsec_${Buffer.alloc(32).toString('base64')}`;
const MIB = 1_048_576;

describe('a report of a stranger', () => {
  it.each<[string, () => Promise<[string, object]>]>([
    ['for a run that is not there', async () => [urlOf('sesn_none', 'srun_none'), signed(SECRET)]],
    ['for a run of another session', async () => [urlOf((await silentRun()).session_id, 'srun_none'), signed(SECRET)]],
    ['without a signature', async () => [(await silentRun()).callback.url, {}]],
    ['of long ago', async () => [(await silentRun()).callback.url, signed(SECRET, Date.now() - 600_000)]],
  ])('%s is answered 401 before its body is sent', async (_, of) => {
    const [url, headers] = await of();
    const { answer } = announce(url, headers, MIB);
    await until(() => answer().includes('authentication_error') || undefined, 'an answer without a body');
    expect(answer()).toMatch(/^HTTP\/1\.1 401 /);
  });

  const urlOf = (session: string, run: string) => `${app.url}/runtime/v1/sessions/${session}/runs/${run}/events`;

  it('takes no room when its sender leaves while its run is looked up', async () => {
    const run = await silentRun();
    const store = await app.host.engine.sessionStore();
    const lastState = store.lastState.bind(store);
    let lookAgain = (): void => undefined;
    const held = new Promise<void>((resolve) => (lookAgain = resolve));
    const look = jest.spyOn(store, 'lastState').mockImplementation(async (id) => {
      await held;
      return lastState(id);
    });
    for (let n = 0; n < 3; n++) announce(run.callback.url, signed(SECRET), 8 * MIB);
    await until(() => look.mock.calls.length === 3 || undefined, 'all are looked up');
    for (const socket of sockets.splice(0)) socket.destroy();
    // Answered after the server has seen them go.
    for (let n = 0; n < 3; n++) await app.call('GET', '/v1/sessions?limit=1');
    look.mockRestore();
    lookAgain();
    const report = { run_id: run.run_id, events: [said('a'), END] };
    expect((await sendReport(run, report)).status).toBe(200);
  });

  it('takes no room of other bodies, and little of that for reports', async () => {
    const [run, other] = [await silentRun(), await silentRun()];
    const { url, secret } = run.callback;
    // Who knows the address of a run, and not its secret.
    announce(url, signed(SECRET), 8 * MIB);
    announce(url, signed(SECRET), 8 * MIB);
    await until(async () => {
      const { answer } = announce(url, signed(SECRET), 8 * MIB);
      await until(() => answer() !== '' || undefined, 'an answer').catch(() => undefined);
      return answer().startsWith('HTTP/1.1 503 ') || undefined;
    }, 'the run has no room left');
    expect((await sendReport(other, { run_id: other.run_id, events: [said('a'), END] })).status).toBe(200);
    for (const socket of sockets.splice(0)) socket.destroy();
    await until(
      async () =>
        (await sendReport({ callback: { url, secret } }, { run_id: run.run_id, events: [END] })).status === 200 ||
        undefined,
      'room again',
    );
  });

  it('counts as a guess of its address, which is slowed down', async () => {
    const url = urlOf('sesn_none', 'srun_none');
    const run = await silentRun();
    expect((await sendReport(run, { run_id: run.run_id, events: [said('a')] })).status).toBe(200);
    const statuses = new Set<number>();
    for (let n = 0; n < 200 && !statuses.has(429); n++) {
      statuses.add(
        (await sendReport({ callback: { url, secret: SECRET } }, { run_id: 'srun_none', events: [END] })).status,
      );
    }
    expect([...statuses]).toEqual([401, 429]);
    // Whose reports were taken lately is not held up by a neighbour.
    expect((await sendReport(run, { run_id: run.run_id, events: [END] })).status).toBe(200);
  });
});

it('charges the events of reports to the workspace', async () => {
  const other = await SessionEngine.start();
  const slow = await startSessions({
    SLUICE_ALLOW_PRIVATE_URLS: new URL(other.url).origin,
    SLUICE_KEY_REQUESTS_PER_SECOND: '5',
  });
  try {
    const { body } = await slow.call('POST', '/runtime/v1/engines', { name: 'test', url: other.url });
    other.secrets.push(body.secret);
    const session = await slow.session(body.id);
    expect((await slow.send(session, message('silent'))).text).toContain('silent');
    const run = await until(() => other.calls.find((call) => call.session_id === session));
    const events = Array.from({ length: 50 }, () => said('a'));
    expect((await sendReport(run, { run_id: run.run_id, events })).status).toBe(200);
    const { status, body: refused } = await sendReport(run, { run_id: run.run_id, events: [END] });
    expect({ status, refused }).toMatchObject({ status: 429, refused: { error: { type: 'rate_limit_error' } } });
  } finally {
    await slow.stop();
    await other.stop();
  }
});
