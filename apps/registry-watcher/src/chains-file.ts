import { readFileSync } from 'node:fs';
import { MAX_CHAINS_FILE_BYTES, readChainsText, type ChainConfig } from '@sluice/agent-registry';
import { SluiceError } from '@sluice/event-log';

const SETTING = 'SLUICE_CHAINS_FILE';

/**
 * The chains of a file.
 * @throws SluiceError `configuration` that names the file, the entry and the field
 */
export function readChainsFile(path: string): readonly ChainConfig[] {
  return parseChains(readText(path), path);
}

/** As `readChainsFile`, of a text that was read from `path`. */
export function parseChains(text: string, path: string): readonly ChainConfig[] {
  const read = readChainsText(text);
  if ('chains' in read) return read.chains;
  throw complaint(path, read.faults[0]);
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

function complaint(path: string, reason: string, cause?: unknown): SluiceError {
  return new SluiceError('configuration', `${SETTING}: ${path}: ${reason}`, cause === undefined ? {} : { cause });
}
