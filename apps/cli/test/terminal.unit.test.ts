import { PassThrough, Readable, Writable } from 'node:stream';
import { Interruption } from '../src/errors';
import { processTerminal } from '../src/terminal';

/** An output on which every write fails so. */
function failing(code: string): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(`write ${code}`), { code })),
  });
}

function terminalOf(parts: { stdin?: Readable; stdout?: Writable }) {
  return processTerminal({ stdin: Readable.from([]), stdout: new PassThrough(), stderr: new PassThrough(), ...parts });
}

describe('the terminal of a process', () => {
  const before = { SIGINT: process.listeners('SIGINT'), SIGTERM: process.listeners('SIGTERM') };
  afterEach(() => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      for (const listener of process.listeners(signal)) {
        if (!before[signal].includes(listener)) process.off(signal, listener);
      }
    }
  });

  it('prints lines', async () => {
    const stdout = new PassThrough();
    await terminalOf({ stdout }).print('a');
    expect(String(stdout.read())).toBe('a\n');
  });

  it('says that output is lost, such as on a full disk', async () => {
    const terminal = terminalOf({ stdout: failing('ENOSPC') });
    await expect(terminal.print('a')).rejects.toThrow('The output cannot be written: write ENOSPC');
  });

  it('is stopped without a fault when nobody reads on', async () => {
    const terminal = terminalOf({ stdout: failing('EPIPE') });
    await terminal.print('a');
    expect(terminal.stopped.reason).toMatchObject({ exitCode: 0 });
    await terminal.print('b');
  });

  it('is stopped while it waits for a reader', async () => {
    const terminal = terminalOf({ stdout: new Writable({ highWaterMark: 1, write: () => undefined }) });
    const printing = terminal.print('a');
    process.emit('SIGTERM', 'SIGTERM');
    await printing;
    expect(terminal.stopped.reason).toEqual(new Interruption(143));
    expect(terminal.stopped.reason).toMatchObject({ exitCode: 143 });
  });

  it('reads text from standard input', async () => {
    const [first, second] = [Buffer.from('{"a":"\u00e9').subarray(0, -1), Buffer.from('\u00e9"}').subarray(1)];
    await expect(terminalOf({ stdin: Readable.from([first, second]) }).readInput()).resolves.toBe('{"a":"\u00e9"}');
  });

  it.each([
    ['bytes that are no text', Buffer.from([0xff]), 'no UTF-8'],
    ['too much', Buffer.alloc(4 * 1024 * 1024 + 1, 'a'), 'more than 4194304 bytes'],
  ])('refuses %s', async (_, bytes, words) => {
    await expect(terminalOf({ stdin: Readable.from([bytes]) }).readInput()).rejects.toThrow(words);
  });

  it('stops reading when it is stopped', async () => {
    const terminal = terminalOf({ stdin: new PassThrough() });
    const reading = terminal.readInput();
    process.emit('SIGINT', 'SIGINT');
    await expect(reading).rejects.toThrow();
    expect(terminal.stopped.reason).toMatchObject({ exitCode: 130 });
  });
});
