import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../src/config';
import { answer, scriptedServer, type Json, type Script, type ScriptedServer } from './scripted-server';
import { run, TestTerminal } from './test-terminal';

const HASH = `0x${'ab'.repeat(32)}`;

const BASE = {
  chainId: 8453,
  name: 'Base',
  state: 'running',
  phase: 'backfill',
  holder: 'watcher-1',
  block: { number: 41_700_000, hash: HASH },
  head: 42_000_000,
  lagBlocks: 299_988,
  progress: 0.10724,
  blocksPerSecond: 1000,
  eventsPerSecond: 7.26,
  secondsLeft: 7_500,
  events: 12,
  outboxEvents: 0,
  delivery: 'immediate',
  confirmations: 12,
  halted: null,
  acceptsDeepReorg: false,
  fault: null,
  reportedAt: '2026-11-21T12:00:00.000Z',
};

describe('sluice chains', () => {
  let script: Script;
  let server: ScriptedServer;
  let env: Environment;
  beforeEach(async () => {
    server = await scriptedServer((request, response) => script(request, response));
    env = { SLUICE_URL: server.url, SLUICE_ADMIN_KEY: 'sk_admin', SLUICE_API_KEY: 'sk_reader' };
  });
  afterEach(() => server.close());

  const chains = (...list: Json[]) => {
    script = (_, response) => answer(response, 200, { chains: list });
  };

  it('shows each chain as a line of a table', async () => {
    const waiting = { ...BASE, chainId: 1, name: 'Ethereum', state: 'waiting', phase: 'waiting', holder: null };
    const unknown = { block: null, head: null, lagBlocks: null, progress: null, secondsLeft: null, eventsPerSecond: 0 };
    chains({ ...waiting, ...unknown }, BASE);
    const { exitCode, out, errors } = await run(['chains'], env);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: [] });
    expect(out).toEqual([
      'CHAIN       ID  STATE    PHASE        BLOCK      HEAD     LAG   DONE  EVENTS/S   LEFT  HOLDER',
      'Ethereum     1  waiting  waiting          -         -       -      -       0.0      -  -',
      'Base      8453  running  backfill  41700000  42000000  299988  10.7%       7.3  2h 5m  watcher-1',
    ]);
    expect(server.seen).toMatchObject([{ method: 'GET', target: '/v1/chains', headers: { 'x-api-key': 'sk_reader' } }]);
  });

  it.each([
    [0, '0s'],
    [59.6, '1m 0s'],
    [3_599, '59m 59s'],
    [90_000, '1d 1h'],
    [-5, '0s'],
  ])('shows %d seconds that are left as %s', async (secondsLeft, text) => {
    chains({ ...BASE, secondsLeft });
    expect((await run(['chains'], env)).out[1]).toContain(` ${text}  watcher-1`);
  });

  it('never says that all is done before it is', async () => {
    chains({ ...BASE, progress: 0.99999 });
    expect((await run(['chains'], env)).out[1]).toContain('99.9%');
  });

  it('says what keeps a chain from going on, in text that no terminal acts on', async () => {
    const halted = { reason: 'reorg_beyond_finality', message: 'Block 7 vanished\u001b[2J', haltedAt: '', cursor: {} };
    const fault = { code: 'chain_unavailable', message: 'No endpoint answers', since: '' };
    chains({ ...BASE, state: 'halted', halted, acceptsDeepReorg: true }, { ...BASE, name: 'a\nb\u202e', fault });
    const { out } = await run(['chains'], env);
    expect(out.slice(2)).toEqual([
      expect.stringMatching(/^a\\u\{a\}b\\u\{202e\} +8453/),
      'Base (8453) is halted: Block 7 vanished\\u{1b}[2J',
      'Base (8453): an operator agreed that it is undone beyond its finality',
      'a\\u{a}b\\u{202e} (8453) is tried again: No endpoint answers',
    ]);
  });

  it('prints each chain as one line of JSON', async () => {
    chains(BASE, { chainId: 1 });
    const { out } = await run(['chains', '--json'], env);
    expect(out.map((line) => JSON.parse(line) as unknown)).toEqual([BASE, { chainId: 1 }]);
  });

  it.each([[{}], [null], ['text'], [[1]]])('shows what %j tells', async (chain) => {
    chains(chain);
    const { exitCode, out } = await run(['chains'], env);
    expect([exitCode, out.length]).toEqual([0, 2]);
  });

  it('says that nothing is watched', async () => {
    chains();
    expect(await run(['chains'], env)).toEqual({ exitCode: 0, out: [], errors: ['No chain is watched'] });
  });

  it('says what the server refuses, and what is no answer', async () => {
    script = (_, response) => answer(response, 401, { error: 'Unknown key', code: 'unauthorized' });
    expect(await run(['chains'], env)).toMatchObject({
      exitCode: 1,
      errors: ['sluice: Unknown key (401 unauthorized)'],
    });
    script = (_, response) => answer(response, 200, { chains: 'none' });
    expect((await run(['chains'], env)).errors).toEqual(['sluice: The server gave no list of chains']);
  });

  it('takes the key of an administrator where there is no other, and never the token of a sandbox', async () => {
    chains();
    await run(['chains'], { ...env, SLUICE_API_KEY: '', SLUICE_ACCESS_TOKEN: 'jwt' });
    expect(server.seen[0]?.headers).toMatchObject({ 'x-api-key': 'sk_admin' });
    expect(server.seen[0]?.headers['authorization']).toBeUndefined();
    const { exitCode, errors } = await run(['chains'], { SLUICE_URL: server.url });
    expect([exitCode, errors]).toEqual([1, [expect.stringContaining('SLUICE_API_KEY')]]);
  });

  it('accept-reorg agrees with the key of an operator', async () => {
    script = (_, response) => answer(response, 200, BASE);
    const { exitCode, out } = await run(['chains', 'accept-reorg', '8453'], env);
    expect([exitCode, out.map((line) => JSON.parse(line) as unknown)]).toEqual([0, [BASE]]);
    expect(server.seen).toMatchObject([
      { method: 'POST', target: '/v1/chains/8453/accept-reorg', headers: { 'x-api-key': 'sk_admin' } },
    ]);
    script = (_, response) => answer(response, 409, { error: 'The chain is not halted', code: 'conflict' });
    expect(await run(['chains', 'accept-reorg', '8453'], env)).toMatchObject({
      exitCode: 1,
      errors: ['sluice: The chain is not halted (409 conflict)'],
    });
    for (const chainId of ['base', '0', '..', '1/x'])
      expect((await run(['chains', 'accept-reorg', chainId], env)).exitCode).toBe(2);
    expect(server.seen).toHaveLength(2);
  });
});

describe('sluice chains check', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-chains-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const ADDRESS = `0x${'12'.repeat(20)}`;
  const CHAIN = {
    chainId: 31_337,
    name: 'Local',
    rpcUrl: 'http://user:secret@127.0.0.1:1/key-of-a-provider',
    identityRegistry: ADDRESS,
    reputationRegistry: ADDRESS,
    startBlock: 0,
    confirmations: 5,
    pollIntervalMs: 1_000,
  };
  const fileOf = (content: unknown): string => {
    const path = join(folder, 'chains.json');
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  const check = (content: unknown, ...args: string[]) =>
    run(['chains', 'check', ...args], { SLUICE_CHAINS_FILE: fileOf(content) });

  it.each<[string, unknown, string]>([
    ['is no JSON', '[{\n"rpcUrl": "http://secret",\n}]', 'is not JSON: line 3'],
    ['is no list', {}, 'expected array'],
    ['lacks a field', [{ ...CHAIN, confirmations: undefined }], 'entry 1 (chainId 31337): confirmations: '],
    [
      'has a field too many',
      [CHAIN, { ...CHAIN, chainId: 2, adress: 'secret' }],
      'entry 2 (chainId 2): adress: is not known',
    ],
    ['has a wrong address', [{ ...CHAIN, eas: '0xsecret' }], 'entry 1 (chainId 31337): eas: must be an address'],
    ['has one chain twice', [CHAIN, CHAIN], 'two entries have the same chainId'],
    ['has no endpoint', [{ ...CHAIN, rpcUrl: undefined }], 'exactly one of rpcUrl and rpcUrls'],
    ['is empty', [], 'has no chains'],
  ])('tells in one line that a file %s, and nothing that is secret', async (_what, content, words) => {
    const { exitCode, out, errors } = await check(content);
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: [] });
    expect(errors).toEqual([expect.stringMatching(/^sluice: \P{Cc}+$/u)]);
    expect(errors[0]).toContain(words);
    expect(errors[0]).not.toContain('secret');
  });

  it('tells every fault of a file, each in a line', async () => {
    const { exitCode, out, errors } = await check([{ ...CHAIN, eas: '0x1', name: '' }, { chainId: 'x' }]);
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: [] });
    expect(errors.slice(0, 2)).toEqual([
      expect.stringContaining('entry 1 (chainId 31337): name: '),
      expect.stringContaining('entry 1 (chainId 31337): eas: '),
    ]);
    expect(errors.at(-1)).toMatch(/chains\.json has \d+ faults$/);
  });

  it('says that a file is not there, or is too large', async () => {
    const missing = await run(['chains', 'check', '--file', join(folder, 'none.json')]);
    expect(missing).toMatchObject({ exitCode: 1, errors: [expect.stringContaining('cannot be read (ENOENT)')] });
    expect((await check(' '.repeat(1024 * 1024 + 1))).errors).toEqual([expect.stringContaining('is larger than')]);
  });

  it('says that a file has no such chain', async () => {
    expect((await check([CHAIN], '--chain', '1')).errors).toEqual([expect.stringContaining('has no chain 1')]);
  });

  it('tells of an endpoint that does not answer, without its key, and fails', async () => {
    const { exitCode, out, errors } = await check([CHAIN]);
    expect({ exitCode, errors }).toEqual({ exitCode: 1, errors: ['sluice: 1 of 1 chains cannot be watched'] });
    expect(out[0]).toBe('Local (31337): cannot be watched');
    expect(out.some((line) => line.includes('127.0.0.1:1'))).toBe(true);
    expect(out.some((line) => line.trimStart().startsWith('fault: '))).toBe(true);
    expect(out.join('\n')).not.toMatch(/secret|key-of-a-provider/);
  });

  it('tells what it finds at an endpoint, and that all is well', async () => {
    const results: Record<string, Json> = {
      eth_chainId: '0x7a69',
      eth_blockNumber: '0x10',
      eth_getCode: '0x60',
      eth_getLogs: [],
      eth_getBlockByNumber: {
        number: '0x10',
        hash: HASH,
        parentHash: HASH,
        timestamp: '0x1',
        logsBloom: `0x${'0'.repeat(512)}`,
      },
    };
    const resultOf = ({ id, method }: Json) =>
      method in results
        ? { jsonrpc: '2.0', id, result: results[method] }
        : { jsonrpc: '2.0', id, error: { code: 3, message: 'execution reverted' } };
    const rpc = await scriptedServer(({ body }, response) =>
      answer(response, 200, Array.isArray(body) ? body.map(resultOf) : resultOf(body)),
    );
    try {
      const chain = { ...CHAIN, rpcUrl: rpc.url };
      const { exitCode, out, errors } = await check([chain]);
      expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: [] });
      expect(out[0]).toBe('Local (31337): ok');
      expect(out[1]).toMatch(
        /^ {2}127\.0\.0\.1:\d+.*: \d+ ms, head 16, logs of \d+ blocks at once, has the start block$/,
      );
      expect(out.slice(2)).toEqual([
        `    identityRegistry ${ADDRESS}: is there`,
        `    reputationRegistry ${ADDRESS}: is there`,
      ]);
      const coloured = await run(['chains', 'check', '--file', fileOf([chain])], {}, new TestTerminal(true));
      expect(coloured.out[0]).toBe('Local (31337): \u001b[32mok\u001b[0m');
      results['eth_getCode'] = '0x';
      const without = await check([chain]);
      expect(without.exitCode).toBe(1);
      expect(without.out).toContain(`    identityRegistry ${ADDRESS}: has no code`);
    } finally {
      await rpc.close();
    }
  });

  it('prints what was found of each chain as one line of JSON, in the order of the file', async () => {
    const ids = [5, 3, 9, 1, 7, 2];
    const { exitCode, out } = await check(
      ids.map((chainId) => ({ ...CHAIN, chainId })),
      '--json',
    );
    expect(exitCode).toBe(1);
    expect(out.map((line) => JSON.parse(line).chainId)).toEqual(ids);
    expect(out.join('\n')).not.toMatch(/secret|key-of-a-provider/);
  });

  it('ends when the user wants no more', async () => {
    const silent = await scriptedServer(() => terminal.stop());
    const terminal = new TestTerminal();
    const path = fileOf([{ ...CHAIN, rpcUrl: silent.url }]);
    const { exitCode, out } = await run(['chains', 'check', '--file', path], {}, terminal);
    await silent.close();
    expect([exitCode, out]).toEqual([130, []]);
  });
});
