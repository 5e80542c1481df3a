import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { SluiceError } from '@sluice/event-log';

/** A file and the setting that names it, for whoever has to repair it. */
export interface NamedFile {
  readonly path: string;
  readonly setting: string;
}

/** What a port that speaks TLS is configured with; all files are PEM. */
export interface TlsFiles {
  /** The certificate and those between it and its root. */
  readonly certificate: NamedFile;
  readonly key: NamedFile;
  /** When given, only peers with a certificate of one of these authorities are let in. */
  readonly clientAuthorities?: NamedFile;
}

/** What the files hold, checked. */
export interface TlsMaterial {
  readonly context: SecureContextOptions;
  /** When the certificate ends, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** No chain of certificates is that long. */
const MAX_FILE_BYTES = 1_048_576;

const ENCLOSED_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Reads and checks the files. @throws SluiceError `configuration`, which names the setting and repeats nothing of a file */
export async function readTlsFiles(files: TlsFiles): Promise<TlsMaterial> {
  const { certificate, key, clientAuthorities } = files;
  const [cert, keyPem, ca] = await Promise.all([
    read(certificate),
    read(key),
    clientAuthorities && read(clientAuthorities),
  ]);
  const [own] = certificatesOf(cert, certificate);
  if (own?.checkPrivateKey(privateKeyOf(keyPem, key)) !== true) {
    throw unusable(key, `the key is not that of the certificate in ${certificate.setting}`);
  }
  if (ca && clientAuthorities) certificatesOf(ca, clientAuthorities);
  const context: SecureContextOptions = { cert, key: keyPem, ...(ca && { ca }), minVersion: 'TLSv1.2' };
  try {
    createSecureContext(context);
  } catch (error) {
    throw unusable(certificate, `the certificate cannot be used${codeOf(error)}`);
  }
  return { context, expiresAt: Date.parse(own.validTo) };
}

/** Changes whenever one of the files does, also where a link to it is pointed elsewhere. @throws as the file system does */
export async function stampOf({ certificate, key, clientAuthorities }: TlsFiles): Promise<string> {
  const paths = [certificate, key, clientAuthorities].flatMap((file) => (file ? [file.path] : []));
  const found = await Promise.all(paths.map((path) => stat(path)));
  return found.map(({ dev, ino, size, mtimeMs }) => [dev, ino, size, mtimeMs].join('/')).join(' ');
}

async function read(file: NamedFile): Promise<Buffer> {
  try {
    const { size } = await stat(file.path);
    if (size <= MAX_FILE_BYTES) return await readFile(file.path);
  } catch (error) {
    throw unusable(file, `the file cannot be read${codeOf(error)}`);
  }
  throw unusable(file, 'the file is too large for what it should hold');
}

/** All of a file, in its order. */
function certificatesOf(pem: Buffer, file: NamedFile): readonly X509Certificate[] {
  const found = pem.toString('latin1').match(ENCLOSED_CERTIFICATE) ?? [];
  if (found.length === 0) throw unusable(file, 'the file holds no certificate in PEM');
  try {
    return found.map((each) => new X509Certificate(each));
  } catch {
    throw unusable(file, 'the file holds a broken certificate');
  }
}

function privateKeyOf(pem: Buffer, file: NamedFile): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw unusable(file, 'the file holds no private key in PEM without a passphrase');
  }
}

function unusable(file: NamedFile, what: string): SluiceError {
  return new SluiceError('configuration', `${file.setting}: ${what}`);
}

function codeOf(error: unknown): string {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === 'string' ? ` (${code})` : '';
}
