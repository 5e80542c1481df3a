import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Part } from './parts';

/** How long the parts of what broke off are asked to be freed. */
const ABORT_TIMEOUT_MS = 10_000;

export interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

/** A file that comes in part by part. */
export class FileUpload {
  private readonly sent: CompletedPart[] = [];
  private readonly options: { readonly abortSignal?: AbortSignal };
  private uploadId: string | undefined;

  constructor(
    private readonly client: S3Client,
    private readonly place: Place,
    signal: AbortSignal | undefined,
  ) {
    this.options = signal === undefined ? {} : { abortSignal: signal };
  }

  /** Sends a part; the file is there once the last one is sent. A file of one part is no multipart upload. */
  async add({ bytes, isLast }: Part): Promise<void> {
    if (isLast && this.uploadId === undefined) {
      await this.client.send(new PutObjectCommand({ ...this.place, Body: bytes }), this.options);
      return;
    }
    this.uploadId ??= await this.begin();
    await this.send(this.uploadId, bytes);
    if (isLast) await this.complete(this.uploadId);
  }

  /** Frees the parts. Whoever broke it off has its own error to tell: a fault here leaves parts that nobody finds. */
  async abort(): Promise<void> {
    if (this.uploadId === undefined) return;
    const command = new AbortMultipartUploadCommand({ ...this.place, UploadId: this.uploadId });
    const abortSignal = AbortSignal.timeout(ABORT_TIMEOUT_MS);
    await this.client.send(command, { abortSignal }).catch(() => undefined);
  }

  private async complete(UploadId: string): Promise<void> {
    const command = { ...this.place, UploadId, MultipartUpload: { Parts: this.sent } };
    await this.client.send(new CompleteMultipartUploadCommand(command), this.options);
  }

  private async begin(): Promise<string> {
    const { UploadId } = await this.client.send(new CreateMultipartUploadCommand(this.place), this.options);
    if (UploadId === undefined) throw new Error('The object storage named no upload');
    return UploadId;
  }

  private async send(UploadId: string, part: Uint8Array): Promise<void> {
    const PartNumber = this.sent.length + 1;
    const command = new UploadPartCommand({ ...this.place, UploadId, PartNumber, Body: part });
    const { ETag } = await this.client.send(command, this.options);
    this.sent.push({ PartNumber, ETag });
  }
}
