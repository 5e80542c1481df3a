import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';

/** How long the parts of what broke off are asked to be freed. */
const ABORT_TIMEOUT_MS = 10_000;

export interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

/** A file that comes in part by part, and is there once it is finished. One part is one plain request. */
export class FileUpload {
  private readonly sent: CompletedPart[] = [];
  private readonly options: { readonly abortSignal?: AbortSignal };
  private uploadId: string | undefined;
  private held: Uint8Array | undefined;

  constructor(
    private readonly client: S3Client,
    private readonly place: Place,
    signal: AbortSignal | undefined,
  ) {
    this.options = signal === undefined ? {} : { abortSignal: signal };
  }

  /** Sends the part before this one: only the last may be small, and a file of one is no multipart upload. */
  async add(part: Uint8Array): Promise<void> {
    const previous = this.held;
    this.held = part;
    if (previous === undefined) return;
    this.uploadId ??= await this.begin();
    await this.send(this.uploadId, previous);
  }

  async finish(): Promise<void> {
    const { held: last = new Uint8Array(), uploadId: UploadId } = this;
    if (UploadId === undefined) {
      await this.client.send(new PutObjectCommand({ ...this.place, Body: last }), this.options);
      return;
    }
    await this.send(UploadId, last);
    const command = { ...this.place, UploadId, MultipartUpload: { Parts: this.sent } };
    await this.client.send(new CompleteMultipartUploadCommand(command), this.options);
  }

  /** Frees the parts. Whoever broke it off has its own error to tell: a fault here leaves parts that nobody finds. */
  async abort(): Promise<void> {
    if (this.uploadId === undefined) return;
    const command = new AbortMultipartUploadCommand({ ...this.place, UploadId: this.uploadId });
    const abortSignal = AbortSignal.timeout(ABORT_TIMEOUT_MS);
    await this.client.send(command, { abortSignal }).catch(() => undefined);
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
