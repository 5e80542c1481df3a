import type { ChainConfig } from '@sluice/agent-registry';
import { checkChain, type ChainCheck } from '@sluice/registry-source';
import { callApi } from '../api';
import { chainLines, type ChainState } from '../chains/chain-lines';
import { readChainsFile } from '../chains/chains-file';
import { checkLines } from '../chains/check-lines';
import { callAsAdmin, jsonLine, readerKeyOf, type CommandContext } from '../context';
import { CliError, usageError } from '../errors';
import { painter, printable } from '../printable';
import type { Terminal } from '../terminal';

/** Chains that are checked at a time. */
const CHECKS_AT_ONCE = 4;

export interface ListChainsOptions {
  readonly json?: boolean;
}

export interface CheckChainsOptions {
  readonly file?: string;
  readonly chain?: number;
  readonly json?: boolean;
}

/** Prints how far each watched chain is: a table, or each chain as one line of JSON. */
export async function listChains(context: CommandContext, { json = false }: ListChainsOptions): Promise<void> {
  const { config, terminal } = context;
  const key = readerKeyOf(config);
  const { body } = await callApi(config.baseUrl, { path: '/v1/chains', key, signal: terminal.stopped });
  const { chains } = body;
  if (!Array.isArray(chains)) throw new CliError('The server gave no list of chains');
  const states = (chains as unknown[]).map((chain) => Object(chain) as ChainState);
  if (json) for (const state of states) await terminal.print(jsonLine(state));
  else if (states.length === 0) terminal.complain('No chain is watched');
  else for (const line of chainLines(states)) await terminal.print(line);
}

/** Agrees that a halted chain is undone beyond its finality. Prints the chain as one line of JSON. */
export async function acceptReorg(context: CommandContext, chainId: string): Promise<void> {
  if (!/^[1-9]\d{0,15}$/.test(chainId)) throw usageError(`${JSON.stringify(chainId)} is no id of a chain`);
  const path = `/v1/chains/${chainId}/accept-reorg`;
  const { body } = await callAsAdmin(context, { method: 'POST', path });
  await context.terminal.print(jsonLine(body));
}

/**
 * Checks a file of chains, and each chain in it on the chain itself. Prints what it finds.
 *
 * @param mayColour whether a terminal is coloured
 * @throws CliError when the file or a chain has a fault
 */
export async function checkChains(
  terminal: Terminal,
  path: string | undefined,
  { chain, json = false }: Omit<CheckChainsOptions, 'file'>,
  mayColour: boolean,
): Promise<void> {
  if (path === undefined) throw usageError('Name a file of chains: set SLUICE_CHAINS_FILE or --file');
  const chains = chosenOf(await readValid(terminal, path), chain, path);
  const paint = painter(terminal.isTerminal && mayColour);
  let failures = 0;
  for await (const check of checksOf(chains, terminal.stopped)) {
    if (!check.ok) failures++;
    const lines = json ? [jsonLine(check)] : checkLines(check, paint);
    for (const line of lines) await terminal.print(line);
  }
  if (failures > 0) throw new CliError(`${failures} of ${chains.length} chains cannot be watched`);
}

async function readValid(terminal: Terminal, path: string): Promise<readonly ChainConfig[]> {
  const file = readChainsFile(path);
  if ('chains' in file) return file.chains;
  const [first, ...others] = file.faults;
  if (others.length === 0) throw new CliError(`${path}: ${first}`);
  for (const fault of file.faults) terminal.complain(printable(fault));
  throw new CliError(`${path} has ${file.faults.length} faults`);
}

function chosenOf(chains: readonly ChainConfig[], chainId: number | undefined, path: string): readonly ChainConfig[] {
  const chosen = chains.filter((chain) => chainId === undefined || chain.chainId === chainId);
  if (chosen.length > 0) return chosen;
  throw new CliError(chainId === undefined ? `${path} has no chains` : `${path} has no chain ${chainId}`);
}

/** The checks in the order of the chains, some of them at a time. Ends when the user wants no more. */
async function* checksOf(chains: readonly ChainConfig[], stopped: AbortSignal): AsyncGenerator<ChainCheck> {
  const running: Promise<ChainCheck>[] = [];
  const rest = chains.values();
  const startNext = (): void => {
    const { value } = rest.next();
    if (value === undefined) return;
    const check = checkChain(value);
    // It is awaited in its turn, which may never come.
    check.catch(() => undefined);
    running.push(check);
  };
  for (let n = 0; n < CHECKS_AT_ONCE; n++) startNext();
  for (let check = running.shift(); check !== undefined; check = running.shift()) {
    const done = await unlessStopped(check, stopped);
    startNext();
    yield done;
  }
}

function unlessStopped<T>(promise: Promise<T>, stopped: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = (): void => reject(new CliError('Stopped'));
    if (stopped.aborted) give();
    stopped.addEventListener('abort', give, { once: true });
    void promise.then(resolve, reject).finally(() => stopped.removeEventListener('abort', give));
  });
}
