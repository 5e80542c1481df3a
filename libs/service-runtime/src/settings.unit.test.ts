import { SluiceError } from '@sluice/event-log';
import { defineSettings, parseSettings, readEnv, setting, settingsTable } from './index';

const DEFINITION = defineSettings({
  SLUICE_HTTP_PORT: { schema: setting.port(), default: '8080', description: 'HTTP port.' },
  SLUICE_WAIT: { schema: setting.durationMs({ max: 60_000 }), default: '5s', description: 'How long | to wait.' },
  SLUICE_JWT_SECRET: { schema: setting.text({ minLength: 32 }), description: 'Signs tokens.', secret: true },
  SLUICE_ENGINE: { schema: setting.enum(['cluster', 'embedded']), default: 'embedded', description: 'Engine.' },
  SLUICE_JWKS_URL: { schema: setting.url({ protocols: ['https'] }).optional(), description: 'Keys.' },
});

function parse(env: NodeJS.ProcessEnv) {
  return parseSettings(DEFINITION, readEnv(DEFINITION, env));
}

function failureOf(run: () => unknown): SluiceError {
  try {
    run();
  } catch (error) {
    if (error instanceof SluiceError) return error;
  }
  throw new Error('expected a SluiceError');
}

describe('settings', () => {
  const secret = 'x'.repeat(32);

  it('reads typed values and defaults, and takes empty as absent', () => {
    const settings = parse({ SLUICE_JWT_SECRET: secret, SLUICE_HTTP_PORT: '', SLUICE_WAIT: '1500ms', OTHER: 'y' });
    const port: number = settings.SLUICE_HTTP_PORT;
    const engine: 'cluster' | 'embedded' = settings.SLUICE_ENGINE;
    const keys: string | undefined = settings.SLUICE_JWKS_URL;
    expect({ ...settings, port, engine, keys }).toEqual({
      SLUICE_HTTP_PORT: 8080,
      SLUICE_WAIT: 1500,
      SLUICE_JWT_SECRET: secret,
      SLUICE_ENGINE: 'embedded',
      SLUICE_JWKS_URL: undefined,
      port: 8080,
      engine: 'embedded',
      keys: undefined,
    });
  });

  it('tells every bad setting in one line and never a secret', () => {
    const error = failureOf(() =>
      parse({
        SLUICE_HTTP_PORT: '70000',
        SLUICE_WAIT: '2 weeks',
        SLUICE_JWT_SECRET: 'hunter2',
        SLUICE_ENGINE: 'quick\nly',
        SLUICE_JWKS_URL: 'http://user:pw@host/keys',
      }),
    );
    expect(error.code).toBe('configuration');
    expect(error.message).toContain('5 bad settings: ');
    expect(error.message).toContain('SLUICE_HTTP_PORT: expected a port number from 0 to 65535, got "70000"');
    expect(error.message).toContain('SLUICE_WAIT: expected a duration of at most 60000');
    expect(error.message).toContain('SLUICE_JWT_SECRET: expected text of at least 32 characters');
    expect(error.message).toContain('SLUICE_ENGINE: expected one of cluster, embedded, got "quick\\nly"');
    expect(error.message).toContain('SLUICE_JWKS_URL: expected a URL (https://)');
    expect(error.message).not.toMatch(/hunter2|user:pw|\n/);
  });

  it('tells what a missing setting should be', () => {
    expect(failureOf(() => parse({})).message).toBe(
      'Bad setting: SLUICE_JWT_SECRET is missing, expected text of at least 32 characters',
    );
  });

  it.each([
    [setting.port(), '0', 0],
    [setting.port(), '65536', undefined],
    [setting.port(), '80.5', undefined],
    [setting.port(), '0x50', undefined],
    [setting.integer({ min: 1 }), '0', undefined],
    [setting.integer({ min: -5 }), '-5', -5],
    [setting.integer(), '9007199254740993', undefined],
    [setting.durationMs(), '250', 250],
    [setting.durationMs(), '1.5s', 1500],
    [setting.durationMs(), '2h', 7_200_000],
    [setting.durationMs(), '-1s', undefined],
    [setting.durationMs(), '1constructor', undefined],
    [setting.byteSize(), '1MiB', 1_048_576],
    [setting.byteSize(), '1 MB', 1_000_000],
    [setting.byteSize({ max: 10 }), '11', undefined],
    [setting.boolean(), 'TRUE', true],
    [setting.boolean(), 'off', false],
    [setting.boolean(), 'maybe', undefined],
    [setting.url(), 'no url', undefined],
    [setting.url(), 'nats://a:4222', 'nats://a:4222'],
    [setting.enum(['a', 'b']), 'toString', undefined],
  ])('reads %#: %s as %s', (schema, text, expected) => {
    const result = schema.safeParse(text);
    expect(result.success ? result.data : undefined).toBe(expected);
  });

  it('reads lists', () => {
    expect(setting.list().parse(' a, b,,c ')).toEqual(['a', 'b', 'c']);
    expect(setting.list({ minItems: 1 }).safeParse(' , ').success).toBe(false);
    expect(setting.list({ item: /^\w+:\d+$/ }).safeParse('a:1,b').success).toBe(false);
  });

  it('renders a table for a README', () => {
    expect(settingsTable(DEFINITION)).toBe(
      [
        '| setting | default | meaning |',
        '|---|---|---|',
        '| `SLUICE_HTTP_PORT` | `8080` | HTTP port. |',
        '| `SLUICE_WAIT` | `5s` | How long \\| to wait. |',
        '| `SLUICE_JWT_SECRET` | required | Signs tokens. Secret. |',
        '| `SLUICE_ENGINE` | `embedded` | Engine. |',
        '| `SLUICE_JWKS_URL` | – | Keys. |',
        '',
      ].join('\n'),
    );
  });
});
