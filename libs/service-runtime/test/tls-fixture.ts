import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { request, type RequestOptions } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestCertificate } from '@sluice/event-log/conformance';
import type { TlsConfig } from '../src/index';

/** A folder with the files of a certificate, as an operator would write them. */
export class CertificateFolder {
  private constructor(private readonly folder: string) {}

  static async create(certificate: TestCertificate): Promise<CertificateFolder> {
    const created = new CertificateFolder(await mkdtemp(join(tmpdir(), 'sluice-tls-')));
    await created.write('cert.pem', certificate.cert);
    await created.write('key.pem', certificate.key);
    return created;
  }

  /** Replaces a file in one step. */
  async write(name: string, content: string): Promise<void> {
    await writeFile(this.path(`${name}.new`), content);
    await rename(this.path(`${name}.new`), this.path(name));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** The settings that name the files, looked at often. */
  config(options: Partial<TlsConfig> & { readonly clientAuthorities?: string } = {}): TlsConfig {
    const { clientAuthorities, ...rest } = options;
    return {
      files: {
        certificate: { path: this.path('cert.pem'), setting: 'THE_CERT' },
        key: { path: this.path('key.pem'), setting: 'THE_KEY' },
        ...(clientAuthorities !== undefined && {
          clientAuthorities: { path: this.path(clientAuthorities), setting: 'THE_CLIENTS' },
        }),
      },
      reloadIntervalMs: 10,
      ...rest,
    };
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true });
  }
}

export interface TlsAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request on a connection of its own. */
export function getOverTls(url: string, options: RequestOptions): Promise<TlsAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, ...options }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}
