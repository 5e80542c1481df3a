import { DEFAULT_STREAM_TOKEN_TTL_SECONDS, MAX_STREAM_TOKEN_TTL_SECONDS } from '@sluice/access';
import { DELIVERY_LIMITS } from '@sluice/delivery';
import { ERROR_TABLE, type ErrorCode } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { settings, toSseStreamConfig } from '../src/config';
import { HEARTBEAT_SECONDS } from '../src/http/registry/registry-values';
import { STREAM_END_CODES } from '@sluice/event-streams';
import { CLOSE_CODES, type CloseCode } from '../src/socket/close-codes';
import { MAX_MESSAGE_BYTES, SOCKET_LIMITS } from '../src/socket/limits';
import { normal, ProtocolPage } from './protocol-page';
import { startSockets, taskCreated, type SocketService } from './socket/socket-service';
import { registryEvent, sandboxEvent, workspaceEvent } from './stream-service';

const sse = new ProtocolPage('sse');
const websocket = new ProtocolPage('websocket');
const queue = `${DELIVERY_LIMITS.queuedEvents} events, ${DELIVERY_LIMITS.queuedBytes} bytes`;
const { stallTimeoutMs } = toSseStreamConfig({} as Parameters<typeof toSseStreamConfig>[0]);
const retries = (code: string) => ERROR_TABLE[code as ErrorCode].retryable;

describe('the page of SSE', () => {
  it('splits the codes of `end` as they are split in the code', () => {
    expect([...sse.names('### Retry')].sort()).toEqual(STREAM_END_CODES.filter(retries).sort());
    expect([...sse.names('### Terminal')].sort()).toEqual(STREAM_END_CODES.filter((code) => !retries(code)).sort());
  });

  it('has the limits that are in force', () => {
    const { min, max, default: usual } = HEARTBEAT_SECONDS;
    expect(sse.limits()).toMatchObject({
      'streams of a caller in a process': settings.SLUICE_KEY_CONNECTIONS.default,
      'streams of a process': settings.SLUICE_MAX_CONNECTIONS.default,
      'streams of /api/v1/events of a key, all replicas': settings.SLUICE_REGISTRY_CONNECTIONS.default,
      'how long a stream of /api/v1/events lasts': settings.SLUICE_REGISTRY_MAX_DURATION.default,
      heartbeat: `${settings.SLUICE_SSE_HEARTBEAT.default}; at /api/events at most`,
      'heartbeat of /api/v1/events': `${usual} s, from ${min} to ${max}`,
      'pause that clients are told': settings.SLUICE_SSE_RETRY.default,
      'what waits for a subscriber': queue,
      'how long a subscriber may read nothing': `${stallTimeoutMs / 1000} s`,
      'time to read the end': settings.SLUICE_SSE_END_GRACE.default,
      'how long a drain spreads the ends over': settings.SLUICE_SSE_DRAIN_SPREAD.default,
      'a stream token': `${DEFAULT_STREAM_TOKEN_TTL_SECONDS} s, at most ${MAX_STREAM_TOKEN_TTL_SECONDS} s`,
    });
  });
});

describe('the page of WebSocket', () => {
  it('has every close code, split as in the code', () => {
    const split = (isRetryable: boolean) =>
      Object.values<CloseCode>(CLOSE_CODES)
        .filter(({ retryable }) => retryable === isRetryable)
        .map(({ code, reason }) => `${code} ${reason}`)
        .sort();
    const listed = (title: string) => websocket.rows(title).map(([code, reason]) => `${code} ${reason}`);
    expect([...listed('### Close codes: retry')].sort()).toEqual(split(true));
    expect([...listed('### Close codes: terminal')].sort()).toEqual(split(false));
  });

  it('splits the codes of `ended` as they are split in the code', () => {
    for (const code of websocket.names('### Codes of `ended`: retry')) expect(retries(code)).toBe(true);
    for (const code of websocket.names('### Codes of `ended`: terminal')) expect(retries(code)).toBe(false);
  });

  it('has the limits that are in force', () => {
    const limits = SOCKET_LIMITS;
    expect(websocket.limits()).toMatchObject({
      'streams of a caller in a process': `${settings.SLUICE_KEY_CONNECTIONS.default}; each subscription counts`,
      'streams of a process': settings.SLUICE_MAX_CONNECTIONS.default,
      'a message of the client': `${MAX_MESSAGE_BYTES} bytes`,
      'frames of the client': `${limits.messagesPerSecond} a second, ${limits.messageBurst} in a burst`,
      'messages that were not understood': `${limits.faultyMessages}`,
      'subscriptions of a connection': `${limits.subscriptions}`,
      'credit of a subscription': `${limits.initialCredit} at first, ${limits.maxCredit} at most`,
      'what waits for a subscription': queue,
      'what waits for the socket': `${limits.outputBytes} bytes, and one batch`,
      'how long events may wait for the client': `${limits.stallTimeoutMs / 1000} s`,
      ping: `${limits.pingIntervalMs / 1000} s`,
      'time to read the end': `${limits.endGraceMs / 1000} s`,
      'who is named in presence': `${limits.presentShown}`,
      'how long a drain spreads the ends over': settings.SLUICE_SSE_DRAIN_SPREAD.default,
    });
  });
});

describe('the sessions on the pages', () => {
  let service: SocketService;

  beforeEach(async () => {
    service = await startSockets();
  });
  afterEach(() => service.stop());

  const store = () => service.record(sandboxEvent({ entityId: 'sandbox-123', data: { exitCode: 0 } }));

  /** Everything that happens beside the two who speak. */
  const happenings: Readonly<Record<string, () => Promise<unknown>>> = {
    'an event is stored': store,
    'two events are stored': () => store().then(store),
    'a registry event is stored': () => service.record(registryEvent()),
    'a workspace event is stored': () => service.record(workspaceEvent()),
    'a task is created': () => service.record(taskCreated('t-1')),
    'the process stops': () => service.stopServing(),
  };

  async function happen(what: string): Promise<void> {
    const happening = happenings[what];
    if (!happening) throw new Error(`nobody knows how ${what}`);
    // A drain waits for those who read, so it is not waited for.
    void happening().catch(() => undefined);
  }

  it.each(sse.sessions())('are those of the server: %s', async (...lines) => {
    const request = lines.filter((line) => line.startsWith('> ')).map((line) => line.slice(2));
    const path = request[0]?.replace('GET ', '') ?? '';
    const cursor = request.find((line) => line.startsWith('Last-Event-ID: '))?.split(' ')[1];
    const key = await service.key();
    const client = await service.openAt(path, { key, ...(cursor !== undefined && { lastEventId: cursor }) });
    const answers = lines.slice(request.length);
    const head = answers.slice(0, answers.indexOf('<')).map((line) => line.slice(2));
    expect(String(client.status)).toBe(head[0]);
    for (const line of head.slice(1)) {
      const [name = '', value = ''] = line.split(': ');
      expect(normal(client.header(name) ?? '')).toBe(normal(value));
    }
    let expected = '';
    for (const line of answers.slice(head.length + 1)) {
      if (line.startsWith('* ')) {
        await until(() => normal(client.text) === expected, `the session up to "${line}"`);
        await happen(line.slice(2));
      } else expected += normal(`${line.slice(2)}\n`);
    }
    await until(() => normal(client.text).length >= expected.length, 'the end of the session');
    expect(normal(client.text)).toBe(expected);
  });

  it.each(websocket.sessions())('are those of the server: %s', async (...lines) => {
    const [, path = ''] = /connects to (\S+)/.exec(lines[0] ?? '') ?? [];
    const client = await service.connect(path);
    let answers = 0;
    for (const line of lines.slice(1)) {
      const [, code, reason] = /^\* the server closes with (\d+) (\w+)$/.exec(line) ?? [];
      if (code !== undefined) expect(await client.closed()).toEqual({ code: Number(code), reason });
      else if (line.startsWith('* ')) await happen(line.slice(2));
      else if (line.startsWith('> ')) client.sayText(line.slice(2));
      else {
        await until(() => client.texts.length > answers, line);
        expect(normal(client.texts[answers++] ?? '')).toBe(normal(line.slice(2)));
      }
    }
    expect(client.texts).toHaveLength(answers);
  });
});
