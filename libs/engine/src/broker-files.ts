import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { SluiceError } from '@sluice/event-log';

/** Files (PEM) of TLS to a broker, by their paths. */
export interface BrokerTlsFiles {
  /** Authorities that are trusted in place of the public ones. */
  readonly caFile?: string;
  /** The certificate that this process shows, and its key. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** Which setting each file was named by. */
type FileSettings = Readonly<Record<keyof BrokerTlsFiles, string>>;

/**
 * The named files where TLS is spoken at all; undefined where it is not.
 *
 * @param enabled whether TLS is asked for, and the setting that says so
 * @throws SluiceError `configuration` for files without TLS, and for a certificate without its key
 */
export function toBrokerTls(
  enabled: { readonly setting: string; readonly value: boolean },
  { caFile, certFile, keyFile }: Readonly<Record<keyof BrokerTlsFiles, string | undefined>>,
  settings: FileSettings,
): BrokerTlsFiles | undefined {
  const complain = (message: string) => new SluiceError('configuration', message);
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw complain(`${settings.certFile} and ${settings.keyFile} are needed together`);
  }
  if (!enabled.value) {
    const [named] = Object.entries({ caFile, certFile, keyFile }).find(([, path]) => path !== undefined) ?? [];
    if (named === undefined) return undefined;
    throw complain(`${settings[named as keyof BrokerTlsFiles]}: ${enabled.setting} must be true then`);
  }
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
}

/**
 * The texts of the files. Brokers are dialled in the background: what cannot be read is told before that.
 * @throws SluiceError `configuration` that names the file
 */
export async function readBrokerTls(
  files: BrokerTlsFiles,
): Promise<{ readonly ca?: string; readonly cert?: string; readonly key?: string }> {
  const [ca, cert, key] = await Promise.all([files.caFile, files.certFile, files.keyFile].map(readText));
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

async function readText(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * What a file holds now, for as long as the process lives: where it cannot be read later, what it held last.
 * @throws SluiceError `configuration` that names the file, when it cannot be read at first
 */
export function followFile(path: string): () => Uint8Array {
  let last: Uint8Array;
  try {
    last = readFileSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
  return () => {
    try {
      last = readFileSync(path);
    } catch {
      // It may be in the middle of its replacement: the next connection reads it again.
    }
    return last;
  };
}

function unreadable(path: string, error: unknown): SluiceError {
  const { code } = error as NodeJS.ErrnoException;
  const message = `The file ${path}, for the connection to a broker, cannot be read (${code ?? 'unknown'})`;
  return new SluiceError('configuration', message, { cause: error });
}
