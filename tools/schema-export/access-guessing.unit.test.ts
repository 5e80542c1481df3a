import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { until } from '@sluice/event-log/conformance';
import { makeCallers, type Callers } from './access-callers';
import { sendTo, type Answer } from './access-process';
import { startDescribedProcess, type DescribedProcess } from './described-process';

const READ = { method: 'GET', path: '/v1/stats' } as const;
const SOCKET = { method: 'GET', path: '/v1/socket' } as const;

const unknownKey = () => `sk_${randomBytes(32).toString('base64url')}`;

describe('who guesses keys', () => {
  let running: DescribedProcess;
  let callers: Callers;
  beforeAll(async () => {
    running = await startDescribedProcess({
      SLUICE_FAILED_AUTHENTICATIONS_PER_SECOND: '1',
      SLUICE_LOOPBACK_WORKSPACE: '0',
    });
    callers = await makeCallers(running.url);
  });
  afterAll(() => running.stop());

  const ask = (door: typeof READ | typeof SOCKET, key: string): Promise<Answer> =>
    sendTo(running.url, door, { path: door.path, query: '' }, { headers: { 'x-api-key': key } });

  /** What the port answers to a log-in. */
  async function logIn(key: string): Promise<string> {
    const socket = connect(running.pubSubPort, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', () => undefined);
    socket.write(`*2\r\n$4\r\nAUTH\r\n$${key.length}\r\n${key}\r\n`);
    await until(() => answer.includes('\r\n'), 'an answer');
    socket.destroy();
    return answer;
  }

  it('is told to wait by HTTP, by WebSocket and by TCP, and a key that was accepted goes on being accepted', async () => {
    const good = callers.good.admin.text ?? '';
    expect((await ask(READ, good)).status).toBe(200);
    const refusals: Answer[] = [];
    for (const door of [READ, SOCKET]) {
      await until(async () => {
        const answer = await ask(door, unknownKey());
        refusals.push(answer);
        return answer.status === 429;
      }, `429 at ${door.path}`);
    }
    await until(async () => (await logIn(unknownKey())).includes('rate_limited'), 'rate_limited by TCP');
    const told = new Set(refusals.map(({ status, code }) => `${status} ${code}`));
    expect(told).toEqual(new Set(['401 unauthorized', '429 rate_limited']));
    const limited = refusals.filter(({ status }) => status === 429);
    expect(limited.every(({ headers }) => Number(headers.get('retry-after')) >= 1)).toBe(true);

    expect((await ask(READ, good)).status).toBe(200);
    expect((await ask(SOCKET, good)).status).toBe(101);
    expect(await logIn(good)).toBe('+OK\r\n');

    const metrics = await (await fetch(`${running.url}/metrics`)).text();
    expect(metrics).toMatch(/sluice_authentication_failures_total\{reason="rate_limited"\} [1-9]/);
    expect(metrics).toMatch(/sluice_authentication_failures_total\{reason="unauthorized"\} [1-9]/);
  });
});
