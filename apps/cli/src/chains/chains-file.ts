import { readFileSync } from 'node:fs';
import { MAX_CHAINS_FILE_BYTES, readChainsText, type ChainsText } from '@sluice/agent-registry';
import { CliError } from '../errors';

/** What stands in a file of chains, or what is wrong with it. @throws CliError when it cannot be read */
export function readChainsFile(path: string): ChainsText {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = Object(error) as { code?: unknown };
    throw new CliError(`${path} cannot be read${typeof code === 'string' ? ` (${code})` : ''}`);
  }
  if (Buffer.byteLength(text) <= MAX_CHAINS_FILE_BYTES) return readChainsText(text);
  throw new CliError(`${path} is larger than ${MAX_CHAINS_FILE_BYTES} bytes`);
}
