import { readFileSync } from 'node:fs';
import { chainsFileSchema, rpcUrlsOf, type ChainConfig } from '@sluice/agent-registry';
import { SluiceError } from '@sluice/event-log';

const SETTING = 'SLUICE_CHAINS_FILE';

/** Largest file of chains, in bytes. */
const MAX_CHAINS_FILE_BYTES = 1024 * 1024;

/**
 * The chains of a file. `${NAME}` in it is not expanded.
 * @throws SluiceError `configuration` that names the file, the entry and the field; values are never repeated, as URLs of
 *   providers hold their keys
 */
export function readChainsFile(path: string): readonly ChainConfig[] {
  return parseChains(readText(path), path);
}

/** As `readChainsFile`, of a text that was read from `path`. */
export function parseChains(text: string, path: string): readonly ChainConfig[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw complaint(path, `is not JSON${placeOf(error, text)}`, error);
  }
  const parsed = chainsFileSchema.safeParse(value);
  if (parsed.success) {
    const entry = parsed.data.findIndex((chain) => (chain.agreement ?? 1) > rpcUrlsOf(chain).length);
    if (entry === -1) return parsed.data;
    throw complaint(path, `${entryName(value, entry)}: agreement: must be at most the number of its endpoints`);
  }
  const [issue] = parsed.error.issues;
  const [entry, ...field] = issue?.path ?? [];
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const place = [entryName(value, entry), [...field, ...unknown].map(String).join('.')].filter((part) => part !== '');
  const reason = unknown.length > 0 ? 'is not known here' : (issue?.message ?? 'is not valid');
  throw complaint(path, [...place, reason].join(': '));
}

function readText(path: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    if (Buffer.byteLength(text) <= MAX_CHAINS_FILE_BYTES) return text;
  } catch (error) {
    const { code } = Object(error) as { code?: unknown };
    throw complaint(path, `cannot be read${typeof code === 'string' ? ` (${code})` : ''}`, error);
  }
  throw complaint(path, `is larger than ${MAX_CHAINS_FILE_BYTES} bytes`);
}

/** An entry by its place and, where it says one, its chain. */
function entryName(file: unknown, entry: PropertyKey | undefined): string {
  if (typeof entry !== 'number') return '';
  const { chainId } = Object(Array.isArray(file) ? (file as unknown[])[entry] : undefined) as { chainId?: unknown };
  const chain = typeof chainId === 'number' ? ` (chainId ${chainId})` : '';
  return `entry ${entry + 1}${chain}`;
}

/** Where the text stops being JSON; its message would repeat what stands there. */
function placeOf(error: unknown, text: string): string {
  const position = /at position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? '' : `: line ${text.slice(0, Number(position)).split('\n').length}`;
}

function complaint(path: string, reason: string, cause?: unknown): SluiceError {
  return new SluiceError('configuration', `${SETTING}: ${path}: ${reason}`, cause === undefined ? {} : { cause });
}
