import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  checkFileKey,
  contentToStore,
  type FileStore,
  type PutFile,
  type ReadFile,
  type StoredFile,
} from '@sluice/agent-sessions';
import { Readable } from 'node:stream';
import { FileUpload, type Place } from './file-upload';
import { HeldBytes } from './held-bytes';
import { MAX_PARTS, PART_BYTES, partsOf } from './parts';
import { isMissing, onS3, s3Fault } from './s3-faults';

export interface S3FileStoreOptions {
  /** Absent: the service of AWS in the region. */
  readonly endpoint?: string;
  readonly region: string;
  /** Exists already. */
  readonly bucket: string;
  /** Absent: found as the AWS SDK finds credentials, such as the role of the machine. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Whether the bucket is in the path of addresses, not in the name of the host. */
  readonly isPathStyle: boolean;
  /** Of one request. */
  readonly timeoutMs?: number;
  /** Most bytes in memory of all puts under way; a put that would need more is refused. Default 256 MiB. */
  readonly maxHeldBytes?: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 60_000;
const MAX_ATTEMPTS = 3;
/** Connections for all but reading. */
const MAX_CONNECTIONS = 64;
/** Connections on which files are read: a reader keeps its own for as long as it reads. */
const MAX_READERS = 1_024;
const MAX_HELD_BYTES = 256 * 1024 * 1024;

/** Files in a bucket. Opens no connection yet. */
export function openS3FileStore(options: S3FileStoreOptions): S3FileStore {
  const { maxHeldBytes = MAX_HELD_BYTES } = options;
  // Readers that stand still take no connection from the rest.
  const [client, readers] = [clientOf(options, MAX_CONNECTIONS), clientOf(options, MAX_READERS)];
  return new S3FileStore(client, readers, options.bucket, new HeldBytes(maxHeldBytes));
}

function clientOf(options: S3FileStoreOptions, maxSockets: number): S3Client {
  const { endpoint, region, credentials, timeoutMs = REQUEST_TIMEOUT_MS } = options;
  return new S3Client({
    region,
    forcePathStyle: options.isPathStyle,
    maxAttempts: MAX_ATTEMPTS,
    // Not every storage that speaks S3 knows the checksums that the SDK would add.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: timeoutMs,
      httpAgent: { keepAlive: true, maxSockets },
      httpsAgent: { keepAlive: true, maxSockets },
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  });
}

/** A small file is one request, a large one a multipart upload: the storage shows it when it is whole. */
export class S3FileStore implements FileStore {
  constructor(
    private readonly client: S3Client,
    private readonly readers: S3Client,
    private readonly bucket: string,
    private readonly held: HeldBytes,
  ) {}

  async put(file: PutFile): Promise<StoredFile> {
    const upload = new FileUpload(this.client, this.placeOf(file.key), file.signal);
    const maxBytes = Math.min(file.maxBytes, MAX_PARTS * PART_BYTES);
    let sizeBytes = 0;
    try {
      for await (const part of partsOf(contentToStore({ ...file, maxBytes }), this.held)) {
        sizeBytes += part.bytes.byteLength;
        await onS3(() => upload.add(part), file.signal);
      }
      return { sizeBytes };
    } catch (error) {
      await upload.abort();
      throw error;
    }
  }

  async get(key: string): Promise<ReadFile | undefined> {
    const place = this.placeOf(key);
    return onS3(async () => {
      const head = await this.headOf(place);
      if (head === undefined) return void (await this.expectBucket());
      const { ContentLength: sizeBytes, ETag } = head;
      if (sizeBytes === undefined) throw new Error('The object storage told no size');
      return { sizeBytes, content: this.read(new GetObjectCommand({ ...place, IfMatch: ETag }), sizeBytes) };
    });
  }

  async remove(key: string): Promise<void> {
    const place = this.placeOf(key);
    await onS3(() => this.client.send(new DeleteObjectCommand(place)));
  }

  async check(): Promise<void> {
    await onS3(() => this.expectBucket());
  }

  async close(): Promise<void> {
    this.client.destroy();
    this.readers.destroy();
  }

  private placeOf(Key: string): Place {
    checkFileKey(Key);
    return { Bucket: this.bucket, Key };
  }

  private async headOf(place: Place) {
    try {
      return await this.client.send(new HeadObjectCommand(place));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Where there is no bucket no file is found either, which does not mean that there are none. */
  private async expectBucket(): Promise<void> {
    await this.client.send(new HeadBucketCommand({ Bucket: this.bucket }));
  }

  /** The bytes of that very file: the request names its tag. */
  private async *read(command: GetObjectCommand, sizeBytes: number): AsyncGenerator<Uint8Array> {
    const { Body: body } = await onS3(() => this.readers.send(command));
    if (!(body instanceof Readable)) throw s3Fault(new Error('The object storage sent no body'));
    const chunks: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
    let leftBytes = sizeBytes;
    try {
      for (;;) {
        const next = await onS3(() => chunks.next());
        if (next.done === true) break;
        leftBytes -= next.value.byteLength;
        if (leftBytes < 0) throw s3Fault(new Error('The object storage sent more than it told'));
        yield next.value;
      }
      if (leftBytes > 0) throw s3Fault(new Error(`The file ended ${leftBytes} bytes early`));
    } finally {
      body.destroy();
    }
  }
}
