import { once } from 'node:events';
import { connect } from 'node:net';
import { accumulateManagedAgentsEvent } from '@anthropic-ai/sdk/lib/sessions/accumulate';
import { until } from '@sluice/event-log/conformance';
import { ALL_DELTAS, follow, isDelta, messageTexts, shownText, startedIds } from './support/followed-stream';
import { all, makeParts, startSessions, type SdkSessions } from './support/sdk-sessions';

let app: SdkSessions;
beforeAll(async () => {
  app = await startSessions();
});
afterAll(() => app.stop());

async function sessionOf(): Promise<string> {
  const parts = await makeParts(app.client);
  return (await app.client.beta.sessions.create(parts)).id;
}

const say = (session: string, text: string) =>
  app.client.beta.sessions.events.send(session, {
    events: [{ type: 'user.message', content: [{ type: 'text', text }] }],
  });

describe('a stream that asked for deltas', () => {
  it('has the start, the text in pieces, and then the whole event, as the SDK accumulates them', async () => {
    const session = await sessionOf();
    const stream = await follow(app.client, session, ['agent.message']);
    await say(session, 'Hello, how are you?');
    const events = await stream.turn();
    const [id] = startedIds(events);
    const whole = events.findIndex(({ type }) => type === 'agent.message');
    const deltas = events.flatMap((event, at) => (isDelta(event) ? [at] : []));
    expect(events[deltas[0] ?? 0]).toEqual({ type: 'event_start', event: { type: 'agent.message', id } });
    expect(deltas.length).toBeGreaterThan(3);
    expect(Math.max(...deltas)).toBeLessThan(whole);
    expect(events[whole]).toMatchObject({ id });
    expect(shownText(events, id ?? '')).toBe('You said: Hello, how are you?');
    expect(messageTexts(events)).toEqual(['You said: Hello, how are you?']);
    let shown: ReturnType<typeof accumulateManagedAgentsEvent>;
    for (const event of events.slice(0, whole)) shown = accumulateManagedAgentsEvent(shown, event);
    expect(shown?.content).toEqual((events[whole] as { content?: unknown }).content);
  });

  it('differs from others, and from the list, by the deltas alone', async () => {
    const session = await sessionOf();
    const [plain, other, asked] = [
      await follow(app.client, session),
      await follow(app.client, session, ['agent.thinking']),
      await follow(app.client, session, ALL_DELTAS),
    ];
    await say(session, 'Hello');
    const events = await plain.turn();
    expect(events.some(isDelta)).toBe(false);
    expect(await other.turn()).toEqual(events);
    expect((await asked.turn()).filter((event) => !isDelta(event))).toEqual(events);
    const listed = await all(app.client.beta.sessions.events.list(session));
    expect(listed).toEqual(events);
  });

  it('has them without an id, so that what a client resumes from is stored', async () => {
    const session = await sessionOf();
    const raw = async (query: string) => {
      const response = await fetch(`${app.url}/v1/sessions/${session}/events/stream${query}`, {
        headers: { 'x-api-key': app.apiKey },
      });
      const text = { all: '' };
      void (async () => {
        for await (const chunk of response.body ?? []) text.all += Buffer.from(chunk).toString();
      })().catch(() => undefined);
      return text;
    };
    const [asked, plain] = [await raw('?event_deltas[]=agent.message&event_deltas[]=agent.thinking'), await raw('')];
    await say(session, 'Hello');
    for (const text of [asked, plain]) await until(() => text.all.includes('session.status_idle'), 'the turn ends');
    const frames = asked.all.split('\n\n');
    const deltas = frames.filter((frame) => /"type":"event_(start|delta)"/.test(frame));
    expect(deltas.length).toBeGreaterThan(1);
    for (const frame of deltas) expect(frame).toMatch(/^event: message\ndata: \{[^\n]*\}$/);
    expect(frames.filter((frame) => !deltas.includes(frame)).join('\n\n')).toBe(plain.all);
  });

  it('is one of a thread as well', async () => {
    const session = await sessionOf();
    const [thread] = await all(app.client.beta.sessions.threads.list(session));
    const stream = await app.client.beta.sessions.threads.events.stream(thread?.id ?? '', {
      session_id: session,
      event_deltas: ['agent.message'],
    });
    const seen: string[] = [];
    const ended = (async () => {
      for await (const { type } of stream) {
        seen.push(type);
        if (type === 'session.status_idle') break;
      }
    })();
    await say(session, 'Hello');
    await ended;
    expect(seen.filter((type) => type === 'event_start')).toHaveLength(1);
    expect(seen.lastIndexOf('event_delta')).toBeGreaterThan(seen.indexOf('event_start'));
    expect(seen.lastIndexOf('event_delta')).toBeLessThan(seen.indexOf('agent.message'));
  });

  it.each([
    ['a type of which there are none', 'event_deltas[]=agent.tool_use'],
    ['one such among others', 'event_deltas[]=agent.message&event_deltas[]=user.message'],
    ['more than a hundred', Array(101).fill('event_deltas[]=agent.message').join('&')],
  ])('is refused with %s', async (_, query) => {
    const session = await sessionOf();
    const answer = await app.request('GET', `/v1/sessions/${session}/events/stream?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { error: { type: 'invalid_request_error' } } });
  });

  it('of which too little is read loses deltas and no event, and the operator sees it', async () => {
    const session = await sessionOf();
    const { hostname, port } = new URL(app.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(
      `GET /v1/sessions/${session}/events/stream?event_deltas[]=agent.message HTTP/1.0\r\nhost: a\r\nx-api-key: ${app.apiKey}\r\n\r\n`,
    );
    const { sessionDeltas } = await app.host.engine.coordination();
    const scope = { workspaceId: 1, sessionId: session };
    const piece = 'x'.repeat(16_000);
    const slow = async () => Number(/outcome="slow"\} (\d+)/.exec(await app.host.metrics.expose())?.[1] ?? 0);
    const flood = () => {
      sessionDeltas.publish(scope, [{ type: 'event_start', event: { type: 'agent.message', id: 'never' } }]);
      for (let n = 0; n < 100; n++) {
        const content = { type: 'text' as const, text: piece };
        sessionDeltas.publish(scope, [
          { type: 'event_delta', event_id: 'never', delta: { type: 'content_delta', content } },
        ]);
      }
    };
    await until(async () => {
      flood();
      return (await slow()) > 0;
    }, 'deltas are dropped');
    await say(session, 'Hello');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await until(() => {
      // As fast as it reads, there are more.
      flood();
      return text.slice(-1_000_000).includes('"session.status_idle"');
    }, 'all events come');
    socket.destroy();
    const ids = [...text.matchAll(/^id: (\S+)$/gm)].map(([, id]) => id);
    expect(ids).toEqual((await all(app.client.beta.sessions.events.list(session))).map(({ id }) => id));
  });
});
