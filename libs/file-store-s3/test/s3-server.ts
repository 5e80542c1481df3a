import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import { openS3FileStore, type S3FileStore, type S3FileStoreOptions } from '../src';

export const BUCKET = 'sluice-files';

/** The key pair that the server knows. */
export const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/** A server that speaks S3, on a free port, with an empty bucket in a folder of its own. */
export class S3Server {
  /** What it was asked, such as `PUT /bucket/key`, with how many bytes came along. */
  readonly requests: { readonly line: string; readonly bodyBytes: number; readonly ifMatch?: string }[] = [];
  private readonly stores: S3FileStore[] = [];

  private constructor(
    private readonly server: S3rver,
    readonly endpoint: string,
    private readonly folder: string,
  ) {
    server.httpServer.on('request', ({ method, url, headers }) => {
      const { 'content-length': bodyBytes = 0, 'if-match': ifMatch } = headers;
      this.requests.push({ line: `${method} ${url}`, bodyBytes: Number(bodyBytes), ...(ifMatch && { ifMatch }) });
    });
  }

  static async start(): Promise<S3Server> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-s3-'));
    const server = new S3rver({
      address: '127.0.0.1',
      port: 0,
      directory: folder,
      silent: true,
      vhostBuckets: false,
      resetOnClose: false,
      configureBuckets: [{ name: BUCKET }],
    });
    const { port } = await server.run();
    return new S3Server(server, `http://127.0.0.1:${port}`, folder);
  }

  open(options: Partial<S3FileStoreOptions> = {}): S3FileStore {
    const store = openS3FileStore({
      endpoint: this.endpoint,
      region: 'us-east-1',
      bucket: BUCKET,
      credentials: CREDENTIALS,
      isPathStyle: true,
      ...options,
    });
    this.stores.push(store);
    return store;
  }

  async stop(): Promise<void> {
    for (const store of this.stores) await store.close();
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
