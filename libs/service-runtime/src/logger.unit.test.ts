import { keptLogger } from '../test/harness';
import { createLogger, redactText } from './index';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzYW5kYm94SWQiOiJhIn0.c2lnbmF0dXJl';

describe('logger', () => {
  it('writes one line of JSON with its fields, and those of its parents', () => {
    const { logger, lines } = keptLogger();
    logger.child({ requestId: 'r1' }).info('hello', { count: 2, size: 10n });
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        service: 'test',
        requestId: 'r1',
        message: 'hello',
        count: 2,
        size: '10',
      },
    ]);
  });

  it('never writes secrets, wherever they stand', () => {
    const { logger, text } = keptLogger();
    const secrets = ['k-topsecret-1', 'k-topsecret-2', 'k-topsecret-3', 'k-topsecret-4', 'k-topsecret-5', JWT];
    logger.child({ authorization: `Bearer ${secrets[0]}` }).info(`sent Authorization: Bearer ${secrets[1]}`, {
      headers: { 'X-API-Key': secrets[2], cookie: [secrets[3]] },
      accessToken: { raw: secrets[4] },
      url: `nats://user:${secrets[0]}@host/x?token=${secrets[1]}`,
      list: [`jwt ${JWT}`],
      error: new Error(`refused: Bearer ${secrets[2]}`, { cause: new Error(`postgres://u:${secrets[3]}@db`) }),
    });
    expect(text()).toContain('[redacted]');
    for (const secret of secrets) expect(text()).not.toContain(secret);
  });

  it('keeps what only sounds like a secret', () => {
    const { logger, lines } = keptLogger();
    logger.info('x', { inputTokens: 12, tokens: 3, keyId: 'k1', isTokenValid: true });
    expect(lines[0]).toMatchObject({ inputTokens: 12, tokens: 3, keyId: 'k1', isTokenValid: true });
  });

  it('survives cycles, depth, invalid dates and huge values', () => {
    const { logger, lines, text } = keptLogger();
    const cycle: Record<string, unknown> = { date: new Date(Number.NaN), bytes: Buffer.alloc(9) };
    cycle['self'] = cycle;
    logger.warn('odd', { cycle, huge: 'x'.repeat(100_000), many: Array.from({ length: 1000 }, (_, index) => index) });
    expect(lines).toHaveLength(1);
    expect(text().length).toBeLessThan(20_000);
  });

  it('renames fields that would stand twice in the line', () => {
    const { logger, text } = keptLogger();
    logger.info('real', { message: 'fake', level: 'fake' });
    expect(JSON.parse(text())).toMatchObject({ message: 'real', level: 'info', message_: 'fake', level_: 'fake' });
    expect(text().match(/"message":/g)).toHaveLength(1);
  });

  it('writes nothing below its level', () => {
    const { logger, lines } = keptLogger('warn');
    logger.info('no');
    logger.error('yes');
    expect(lines.map((line) => line['message'])).toEqual(['yes']);
    expect([logger.isEnabled('info'), logger.isEnabled('warn')]).toEqual([false, true]);
  });

  it('writes short text for people, with line breaks escaped', () => {
    const written: string[] = [];
    const destination = { write: (line: string) => written.push(line) };
    const logger = createLogger({ service: 'ingest', format: 'text', destination });
    logger.warn('first\nforged line', { status: 503, path: 'a b', token: 's3cret' });
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} WARN {2}ingest: first\\nforged line status=503 path="a b" token="\[redacted\]"\n$/,
    );
  });

  it('writes no control character as it is, in text', () => {
    const written: string[] = [];
    const logger = createLogger({ service: 's', format: 'text', destination: { write: (line) => written.push(line) } });
    logger.info('\u007f\u009b31m\u2028\u2029\u0000', { '\u009d': 1, value: '\u009b\u007f' });
    expect(written.join('')).toContain('\\u007f\\u009b31m\\u2028\\u2029\\u0000');
    expect(written.join('').trimEnd()).toMatch(/^[ -~]+$/);
  });

  it.each([
    ['postgres://user:p@ss/w@rd@db:5432/x', 'postgres://[redacted]@db:5432/x'],
    ['at nats://u:a/b@one, and redis://:c@two/', 'at nats://[redacted]@one, and redis://[redacted]@two/'],
    ['https://host/path', 'https://host/path'],
    ['mail me@example.test', 'mail me@example.test'],
    ['file:///a/@scope/b.js', 'file:///a/@scope/b.js'],
  ])('hides the credentials of %s', (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  it.each(['a', 'a://', 'eyJ-', 'bearer ', 'eyJa.', '@', '?key='])('is not held up by any number of %j', (part) => {
    const text = part.repeat(Math.ceil(8_192 / part.length));
    for (let n = 0; n < 500; n++) redactText(text);
  });
});
