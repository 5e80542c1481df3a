import type { ServerResponse } from 'node:http';
import { runCli } from '../src/program';
import {
  answer,
  beginStream,
  frame,
  recorded,
  scriptedServer,
  type Script,
  type ScriptedServer,
} from './scripted-server';
import { TestTerminal } from './test-terminal';

describe('tail', () => {
  let script: Script;
  let server: ScriptedServer;
  beforeEach(async () => {
    server = await scriptedServer((request, response) => script(request, response));
  });
  afterEach(() => server.close());

  const start = (terminal: TestTerminal, ...args: string[]) =>
    runCli(['tail', ...args], { SLUICE_URL: server.url, SLUICE_API_KEY: 'sk_reader' }, terminal);
  const numbers = (terminal: TestTerminal) => terminal.out.map((line) => JSON.parse(line).data.n);

  it('asks for what is wanted and prints events for people', async () => {
    script = (_, response) => {
      beginStream(response);
      response.write(': heartbeat\n\nretry: 10\n\n');
      response.write(frame('c1', 'custom', recorded(1, { data: { text: 'a\u009b\u202eb' } })));
    };
    const terminal = new TestTerminal();
    const running = start(
      terminal,
      '--family',
      'sandbox',
      '--entity',
      'box',
      '--type',
      'a',
      '--types',
      'b.*,c',
      '--workspace',
      '3',
    );
    await terminal.until(() => terminal.out.length === 1);
    terminal.stop();
    expect(await running).toBe(0);
    expect(terminal.out).toEqual(['2023-11-14T22:13:20.000Z  sandbox/box  custom  {"text":"a\\u009b\\u202eb"}']);
    expect(terminal.errors).toEqual([]);
    expect(server.seen[0]).toMatchObject({
      target: '/v1/stream?workspaceId=3&family=sandbox&entityId=box&types=a%2Cb.*%2Cc&cursor=latest',
      headers: { 'x-api-key': 'sk_reader', accept: 'text/event-stream' },
    });
  });

  it('colours on a terminal, unless NO_COLOR is set', async () => {
    script = (_, response) => {
      beginStream(response);
      response.write(frame('c1', 'custom', recorded(1)));
    };
    const lineOf = async (isTerminal: boolean, env: Record<string, string>) => {
      const terminal = new TestTerminal(isTerminal);
      const running = runCli(['tail'], { SLUICE_URL: server.url, SLUICE_API_KEY: 'k', ...env }, terminal);
      await terminal.until(() => terminal.out.length === 1);
      terminal.stop();
      await running;
      return terminal.out[0];
    };
    expect(await lineOf(true, {})).toContain('\u001b[');
    expect(await lineOf(true, { NO_COLOR: '1' })).not.toContain('\u001b');
    expect(await lineOf(false, {})).not.toContain('\u001b');
  });

  it('--json prints each event as JSON that is safe to look at', async () => {
    const event = recorded(1, { data: { text: '\u009b' } });
    script = (_, response) => {
      beginStream(response);
      response.write(frame('c1', 'custom', event));
    };
    const terminal = new TestTerminal();
    const running = start(terminal, '--json', '--cursor', 'earliest');
    await terminal.until(() => terminal.out.length === 1);
    terminal.stop();
    await running;
    expect(terminal.out).toEqual([JSON.stringify(event).replace('\u009b', '\\u009b')]);
    expect(terminal.out.map((line) => JSON.parse(line))).toEqual([event]);
    expect(server.seen[0]?.target).toBe('/v1/stream?cursor=earliest');
  });

  it('comes back to where it was cut, and prints every event once', async () => {
    const total = 12;
    let cuts = 0;
    script = ({ headers }, response: ServerResponse) => {
      const from = Number(String(headers['last-event-id'] ?? 'c0').slice(1));
      if (cuts === 2) {
        cuts++;
        answer(response, 503, { error: 'down', code: 'shutting_down' });
        return;
      }
      beginStream(response);
      const next =
        frame(`c${from + 1}`, 'custom', recorded(from + 1)) + frame(`c${from + 2}`, 'custom', recorded(from + 2));
      if (from + 2 >= total) {
        response.write(next);
        return;
      }
      // Cut in the middle of an event.
      const half = next + frame(`c${from + 3}`, 'custom', recorded(from + 3)).slice(0, -3);
      cuts++;
      response.write(half, () => response.destroy());
    };
    const terminal = new TestTerminal();
    const running = start(terminal, '--json');
    await terminal.until(() => terminal.out.length === total);
    terminal.stop();
    expect(await running).toBe(0);
    expect(numbers(terminal)).toEqual(Array.from({ length: total }, (_, n) => n + 1));
    expect(terminal.errors.every((line) => line.includes('connecting again'))).toBe(true);
    expect(server.seen[1]).toMatchObject({ target: '/v1/stream?cursor=c2', headers: { 'last-event-id': 'c2' } });
  });

  it('moves on by marks alone', async () => {
    script = ({ headers }, response) => {
      beginStream(response);
      if (headers['last-event-id'] === undefined) response.end('id: c7\n\n');
      else response.write(frame('c8', 'custom', recorded(8)));
    };
    const terminal = new TestTerminal();
    const running = start(terminal, '--json');
    await terminal.until(() => terminal.out.length === 1);
    terminal.stop();
    await running;
    expect(server.seen[1]?.headers['last-event-id']).toBe('c7');
  });

  it('tells of a reset apart from the events, also where an event is called so', async () => {
    script = (_, response) => {
      beginStream(response);
      response.write(
        frame('c1', 'reset', { reason: 'epoch_changed' }) + frame('c2', 'reset', recorded(2, { type: 'reset' })),
      );
    };
    const terminal = new TestTerminal();
    const running = start(terminal, '--json');
    await terminal.until(() => terminal.out.length === 1);
    terminal.stop();
    await running;
    expect(terminal.errors).toEqual([expect.stringMatching(/not valid any more \(epoch_changed\)/)]);
    expect(numbers(terminal)).toEqual([2]);
  });

  it.each([
    [401, 'unauthorized'],
    [400, 'invalid_cursor'],
    [503, 'overloaded'],
  ])('ends at once when the first answer is %d', async (status, code) => {
    script = (_, response) => answer(response, status, { error: 'no', code });
    const terminal = new TestTerminal();
    expect(await start(terminal)).toBe(1);
    expect(terminal.errors).toEqual([`sluice: no (${status} ${code})`]);
  });

  it('ends when it is refused later, such as by a key that was revoked', async () => {
    script = ({ headers }, response) => {
      if (headers['last-event-id'] !== undefined) answer(response, 401, { error: 'revoked', code: 'unauthorized' });
      else {
        beginStream(response);
        response.end(frame('c1', 'custom', recorded(1)));
      }
    };
    const terminal = new TestTerminal();
    expect(await start(terminal)).toBe(1);
    expect(terminal.errors.at(-1)).toBe('sluice: revoked (401 unauthorized)');
  });

  const end = (retryable: boolean, code: string) =>
    frame('c1', 'end', { code, message: 'The end\u001b[2J', retryable, cursor: 'c1' });

  it('goes on where a stream was ended that can be resumed, and shows events that are called so', async () => {
    script = ({ headers }, response) => {
      beginStream(response);
      if (headers['last-event-id'] === undefined) response.end(end(true, 'slow_subscriber'));
      else response.write(frame('c2', 'end', recorded(2, { type: 'end' })));
    };
    const terminal = new TestTerminal();
    const running = start(terminal, '--json');
    await terminal.until(() => terminal.out.length === 1);
    terminal.stop();
    expect(await running).toBe(0);
    expect(numbers(terminal)).toEqual([2]);
    expect(terminal.errors).toEqual([expect.stringMatching(/^The end.*\(slow_subscriber\); connecting again/)]);
    expect(server.seen[1]?.headers['last-event-id']).toBe('c1');
  });

  it('ends when the stream was ended for good', async () => {
    script = (_, response) => {
      beginStream(response);
      response.end(end(false, 'token_expired'));
    };
    const terminal = new TestTerminal();
    expect(await start(terminal)).toBe(1);
    expect(terminal.errors).toEqual(['sluice: The end\\u{1b}[2J (token_expired)']);
    expect(server.seen).toHaveLength(1);
  });

  it('does not take any answer for a stream', async () => {
    script = (_, response) => answer(response, 200, {});
    const terminal = new TestTerminal();
    expect(await start(terminal)).toBe(1);
    expect(terminal.errors[0]).toContain('no event stream');
  });

  it('is stopped while it waits to connect again', async () => {
    script = (_, response) => {
      beginStream(response);
      response.end();
    };
    const terminal = new TestTerminal();
    const running = start(terminal);
    await terminal.until(() => terminal.errors.length >= 3);
    terminal.stop();
    expect(await running).toBe(0);
  });
});
