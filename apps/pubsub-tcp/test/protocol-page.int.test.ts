import { DELIVERY_LIMITS } from '@sluice/delivery';
import { hostSettings } from '@sluice/engine';
import { ERROR_TABLE } from '@sluice/event-log';
import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { DEFAULT_COMMAND_LIMITS, MAX_GLOB_LENGTH } from '@sluice/resp-protocol';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pubSubSettings } from '../src/config';
import { PUBSUB_LIMITS } from '../src/limits';
import { RawClient } from './raw-client';
import { TestService } from './service';

const PAGE = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'protocol', 'tcp.md'), 'utf8');
const SOURCES = join(__dirname, '..', 'src');
const STORED = '* an event of sandbox-123 is stored';

const sectionOf = (title: string): string => PAGE.split(`\n${title}\n`)[1]?.split(/\n##+ /)[0] ?? '';
/** The cells of a section's table. */
const rowsOf = (title: string): readonly (readonly string[])[] =>
  sectionOf(title)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
const codesOf = (title: string) => rowsOf(title).map(([code = '']) => code.replaceAll('`', ''));
const sessions = [...sectionOf('## A session').matchAll(/```text\n([^`]*)```/g)].map(([, text = '']) =>
  text.trimEnd().split('\n'),
);

describe('the page of the TCP protocol', () => {
  it('splits the codes as they are split in the code', () => {
    const known = Object.entries(ERROR_TABLE);
    const retryable = known.filter(([, entry]) => entry.retryable).map(([code]) => code);
    const terminal = known.filter(([, entry]) => !entry.retryable).map(([code]) => code);
    expect(codesOf('### Retry')).not.toEqual([]);
    expect(codesOf('### Terminal')).not.toEqual([]);
    expect(retryable).toEqual(expect.arrayContaining(codesOf('### Retry')));
    expect(terminal).toEqual(expect.arrayContaining(codesOf('### Terminal')));
  });

  it('has every code that a connection may be told', () => {
    const text = readdirSync(SOURCES)
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => readFileSync(join(SOURCES, file), 'utf8'))
      .join('\n');
    const thrown = [...text.matchAll(/SluiceError\(\s*'(\w+)'/g)].map(([, code = '']) => code);
    const documented = [...text.matchAll(/@throws SluiceError ((?:[\s*,]*`\w+`)+)/g)].flatMap(([, list = '']) =>
      [...list.matchAll(/`(\w+)`/g)].map(([, code = '']) => code),
    );
    const told = new Set([...thrown, ...documented, 'slow_subscriber', 'shutting_down', 'read_model_unavailable']);
    // A start that fails is told to nobody but the operator.
    told.delete('configuration');
    expect([...codesOf('### Retry'), ...codesOf('### Terminal')].sort()).toEqual([...told].sort());
  });

  it('has the limits that are in force', () => {
    const { maxLineBytes, maxCommandBytes } = DEFAULT_COMMAND_LIMITS;
    const limits = PUBSUB_LIMITS;
    const host = hostSettings({ httpPort: 0 });
    const values = new Map(rowsOf('## Limits').map(([limit, value]) => [limit, value]));
    expect(Object.fromEntries(values)).toMatchObject({
      'connections of the port': pubSubSettings.SLUICE_PUBSUB_MAX_CONNECTIONS.default,
      'streams of a caller in a process': `${host.SLUICE_KEY_CONNECTIONS.default}; each RESP channel counts`,
      'subscriptions of a caller, over all replicas': `${host.SLUICE_KEY_REQUESTS_PER_SECOND.default} a second`,
      'time for a credential': `${limits.authenticationTimeoutMs / 1000} s`,
      'wrong credentials of a RESP connection': `${limits.authenticationFailures}`,
      'commands of a connection': `${limits.commandsPerSecond} a second, ${limits.commandBurst} in a burst`,
      'a line': `${maxLineBytes} bytes`,
      'a RESP command': `${maxCommandBytes} bytes, ${limits.maxWords} words`,
      'a RESP command before authentication': `${limits.strangerCommandBytes} bytes, ${limits.strangerWords} words`,
      'channels of a RESP connection': `${limits.channels}, of which ${limits.patterns} patterns`,
      'a pattern': `${MAX_GLOB_LENGTH} characters`,
      'what waits for a line subscriber': `${DELIVERY_LIMITS.queuedEvents} events, ${DELIVERY_LIMITS.queuedBytes} bytes`,
      'what waits for a RESP channel': `${DELIVERY_LIMITS.queuedEvents} events, ${limits.channelQueuedBytes} bytes`,
      'how long a subscriber may take nothing': `${limits.stallTimeoutMs / 1000} s`,
      'how long connections are ended over at SIGTERM': pubSubSettings.SLUICE_DRAIN_SPREAD.default,
    });
    const states = rowsOf('## States: lines').map((row) => row.join(' '));
    expect(states).toContainEqual(expect.stringContaining(`nothing sent for ${limits.heartbeatMs / 1000} s`));
    expect(states).toContainEqual(expect.stringContaining(`closes, or ${limits.lingerMs / 1000} s`));
    expect(states).toContainEqual(expect.stringContaining(`not leave for ${limits.flushGraceMs / 1000} s`));
  });
});

describe('the sessions on the page', () => {
  let service: TestService;
  let apiKey: string;
  let client: RawClient | undefined;

  beforeEach(async () => {
    service = await TestService.start();
    apiKey = await service.apiKey();
  });
  afterEach(async () => {
    client?.destroy();
    await service.stop();
  });

  const store = () => service.append(sandboxEnvelope({ entityId: 'sandbox-123', data: { exitCode: 0 } }));

  /** Without what is another on every run. */
  const normal = (line: string) =>
    line.replaceAll(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, '<id>').replaceAll(/\b1-[0-9a-f]{8}-/g, '1-<epoch>-');

  async function play(lines: readonly string[]): Promise<void> {
    const { epoch } = await (await service.host.engine.readModel()).head();
    client = new RawClient(service.port);
    for (const line of lines) {
      const text = line.slice(2);
      if (line === STORED) await store();
      else if (line === '* FIN') await until(() => client?.ended === true, 'FIN');
      else if (line.startsWith('> ')) {
        client.send(text.replace(/sk_EXAMPLE\w+/, apiKey).replace(/1-[0-9a-f]{8}-/, `1-${epoch}-`));
      } else expect(normal(await client.line())).toBe(normal(text));
    }
  }

  it('are those of the server: lines (G4)', async () => {
    expect(sessions).toHaveLength(2);
    await play(sessions[0] ?? []);
  });

  it('are those of the server: RESP (G4)', async () => {
    await store();
    await store();
    await play(sessions[1] ?? []);
  });
});
