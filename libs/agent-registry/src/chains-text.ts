import { chainsFileSchema, type ChainConfig } from './chain-config';

/** Largest file of chains, in bytes. */
export const MAX_CHAINS_FILE_BYTES = 1024 * 1024;

/** Most faults of a file that are told at once. */
const MAX_FAULTS = 20;

/** What stands in a file of chains, or what is wrong with it, as `entry 2 (chainId 5): startBlock: must be …`. */
export type ChainsText =
  { readonly chains: readonly ChainConfig[] } | { readonly faults: readonly [string, ...string[]] };

/** Reads the text of a file of chains. Values are never repeated: URLs of providers hold their keys. `${NAME}` is not expanded. */
export function readChainsText(text: string): ChainsText {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { faults: [`is not JSON${placeOf(error, text)}`] };
  }
  const parsed = chainsFileSchema.safeParse(value);
  if (parsed.success) return { chains: parsed.data };
  const [first = 'is no file of chains', ...others] = parsed.error.issues.flatMap(faultsOfIssue(value));
  return { faults: [first, ...others.slice(0, MAX_FAULTS - 1)] };
}

function faultsOfIssue(file: unknown) {
  return (issue: { readonly path: PropertyKey[]; readonly message: string; readonly keys?: string[] }): string[] => {
    const [entry, ...field] = issue.path;
    const places = [entryName(file, entry), field.map(String).join('.')];
    const faults = issue.keys?.map((key) => [key, 'is not known here']) ?? [[issue.message]];
    return faults.map((words) => [...places, ...words].filter((part) => part !== '').join(': '));
  };
}

/** An entry by its place and, where it says one, its chain. */
function entryName(file: unknown, entry: PropertyKey | undefined): string {
  if (typeof entry !== 'number') return '';
  const { chainId } = Object(Array.isArray(file) ? (file as unknown[])[entry] : undefined) as { chainId?: unknown };
  return `entry ${entry + 1}${typeof chainId === 'number' ? ` (chainId ${chainId})` : ''}`;
}

/** Where the text stops being JSON; the error's message would repeat what stands there. */
function placeOf(error: unknown, text: string): string {
  const position = /at position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? '' : `: line ${text.slice(0, Number(position)).split('\n').length}`;
}
