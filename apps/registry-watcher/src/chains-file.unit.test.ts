import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseChains, readChainsFile } from './chains-file';

const address = (digit: string) => `0x${digit.repeat(40)}`;
const entry = (overrides: object = {}) => ({
  chainId: 1,
  name: 'One',
  rpcUrl: 'https://rpc.example/secret-key',
  identityRegistry: address('a'),
  reputationRegistry: address('b'),
  startBlock: 0,
  confirmations: 5,
  pollIntervalMs: 1000,
  ...overrides,
});
const complaint = (text: string): string => {
  try {
    parseChains(text, '/etc/chains.json');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('no complaint');
};
const complaintOf = (...entries: object[]) => complaint(JSON.stringify(entries));

it('reads entries with their defaults', () => {
  const [chain] = parseChains(JSON.stringify([entry()]), 'x');
  expect(chain).toMatchObject({ chainId: 1, delivery: 'immediate', maxBlockRange: 10_000 });
});

it('names file, entry and field of a fault', () => {
  expect(complaintOf(entry(), entry({ chainId: 2, startBlock: -1 }))).toMatch(
    /^SLUICE_CHAINS_FILE: \/etc\/chains\.json: entry 2 \(chainId 2\): startBlock: /,
  );
  expect(complaintOf(entry({ identityRegistry: '0x12' }))).toContain(
    'entry 1 (chainId 1): identityRegistry: must be an',
  );
  expect(complaintOf(entry({ colour: 'red' }))).toContain('entry 1 (chainId 1): colour: is not known here');
  expect(complaintOf(entry({ rpcUrls: ['https://x'] }))).toContain('rpcUrl: exactly one of rpcUrl and rpcUrls');
  expect(complaintOf(entry(), entry())).toContain('two entries have the same chainId');
  expect(complaintOf(entry({ agreement: 2 }))).toContain('entry 1 (chainId 1): agreement: must be at most the number');
  expect(complaintOf(entry({ chainId: 'x' }))).toContain('entry 1: chainId: ');
});

it('does not expand variables, and repeats no value', () => {
  const reference = `$${'{RPC_URL}'}`;
  const message = complaintOf(entry({ rpcUrl: reference }));
  expect(message).toContain('rpcUrl: must be an http or https URL');
  expect(message).not.toContain('RPC_URL');
});

it('tells the line where the text is no JSON, without what stands there', () => {
  const message = complaint('[\n{"rpcUrl": "https://rpc.example/secret-key",\n}\n]');
  expect(message).toBe('SLUICE_CHAINS_FILE: /etc/chains.json: is not JSON: line 3');
  expect(complaint('{}')).toMatch(/chains\.json: /);
});

it('tells that a file cannot be read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-chains-'));
  expect(() => readChainsFile(join(folder, 'none.json'))).toThrow(/none\.json: cannot be read \(ENOENT\)/);
  writeFileSync(join(folder, 'large.json'), `[${' '.repeat(1_100_000)}]`);
  expect(() => readChainsFile(join(folder, 'large.json'))).toThrow(/is larger than/);
  rmSync(folder, { recursive: true });
});

it('reads the chains that are shipped', () => {
  const chains = readChainsFile(join(__dirname, '..', 'chains', 'public.json'));
  expect(chains.map(({ chainId }) => chainId)).toEqual([1, 56, 97, 137, 143, 8453, 10143, 84532, 11155111]);
  for (const { rpcUrls, identityRegistry } of chains) {
    expect(rpcUrls?.length).toBeGreaterThanOrEqual(2);
    expect(identityRegistry).toMatch(/^0x8004A/);
  }
});
