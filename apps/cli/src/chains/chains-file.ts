import { readFileSync } from 'node:fs';
import { chainsFileSchema, type ChainConfig } from '@sluice/agent-registry';
import { CliError } from '../errors';

/** Largest file of chains, in bytes. */
const MAX_CHAINS_FILE_BYTES = 1024 * 1024;

/** Most faults of a file that are told at once. */
const MAX_SHOWN_FAULTS = 20;

/** A file of chains that holds what it should, or what is wrong with it. */
export type ChainsFile =
  { readonly chains: readonly ChainConfig[] } | { readonly faults: readonly [string, ...string[]] };

/** Reads a file of chains. Values are never repeated: URLs of providers hold their keys. @throws CliError */
export function readChainsFile(path: string): ChainsFile {
  const value = parsedOf(textOf(path), path);
  const parsed = chainsFileSchema.safeParse(value);
  if (parsed.success) return { chains: parsed.data };
  const [first = 'is no file of chains', ...others] = parsed.error.issues.flatMap((issue) => {
    const [entry, ...field] = issue.path;
    const places = [entryName(value, entry), field.map(String).join('.')];
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
    const faults = unknown.length === 0 ? [[issue.message]] : unknown.map((key) => [key, 'is not known here']);
    return faults.map((words) => [...places, ...words].filter((part) => part !== '').join(': '));
  });
  return { faults: [first, ...others.slice(0, MAX_SHOWN_FAULTS - 1)] };
}

function textOf(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = Object(error) as { code?: unknown };
    throw new CliError(`${path} cannot be read${typeof code === 'string' ? ` (${code})` : ''}`);
  }
  if (Buffer.byteLength(text) <= MAX_CHAINS_FILE_BYTES) return text;
  throw new CliError(`${path} is larger than ${MAX_CHAINS_FILE_BYTES} bytes`);
}

function parsedOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // Its message would repeat what stands there.
    const position = /at position (\d+)/.exec(String(error))?.[1];
    const line = position === undefined ? '' : `: line ${text.slice(0, Number(position)).split('\n').length}`;
    throw new CliError(`${path} is not JSON${line}`);
  }
}

/** An entry by its place and, where it says one, its chain. */
function entryName(file: unknown, entry: PropertyKey | undefined): string {
  if (typeof entry !== 'number') return '';
  const { chainId } = Object(Array.isArray(file) ? (file as unknown[])[entry] : undefined) as { chainId?: unknown };
  return `entry ${entry + 1}${typeof chainId === 'number' ? ` (chainId ${chainId})` : ''}`;
}
