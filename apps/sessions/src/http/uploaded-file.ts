import type { MultipartFile } from '@fastify/multipart';
import { SluiceError } from '@sluice/event-log';
import type { FastifyRequest } from 'fastify';
import { faultOfFilename, lastNameOf } from '../files/filename';
import { mediaTypeOf } from '../files/media-types';
import type { NewFile } from '../files/stored-files';

const MIN_EXPIRY_S = 3_600;
const MAX_EXPIRY_S = 7_776_000;

const FILE_PART = 'file';
const EXPIRY_PART = 'expires_in_seconds';

/** Of a form: what is more than anybody sends. Two files are let through, so that the second can be refused by its name. */
const FORM_LIMITS = {
  fieldNameSize: 100,
  fieldSize: 100,
  fields: 4,
  files: 2,
  parts: 6,
  headerPairs: 20,
  // Files are bounded where they are stored.
  fileSize: Number.POSITIVE_INFINITY,
} as const;

/** How long the rest of a form that was refused is read and thrown away, so that its sender can read the answer. */
const DISCARD_MAX_MS = 2_000;

type UploadedFile = Pick<NewFile, 'filename' | 'mediaType' | 'content' | 'atMostBytes' | 'more' | 'signal'>;

/**
 * Hands over the file of a form as it comes. The part for its expiry may come before it or after it.
 * @throws SluiceError `invalid_request` for a form that is not one file and its expiry, and what `take` throws
 */
export async function takeUploadedFile<T>(
  request: FastifyRequest,
  take: (file: UploadedFile) => Promise<T>,
): Promise<T> {
  if (!request.isMultipart()) throw invalid('body', 'must be multipart/form-data');
  const gone = new AbortController();
  const onClose = () => {
    if (!request.raw.complete) gone.abort(new SluiceError('invalid_request', 'The caller went away'));
  };
  request.raw.once('close', onClose);
  try {
    const form = new UploadForm(request);
    const file = await form.nextFile();
    if (file === undefined) throw invalid(FILE_PART, 'is required');
    const filename = toFilename(file.filename);
    return await take({
      filename,
      mediaType: mediaTypeOf(filename, file.mimetype),
      content: contentOf(file),
      ...announcedOf(request),
      signal: gone.signal,
      more: async () => {
        if (await form.nextFile()) throw invalid(FILE_PART, 'is there twice');
        return form.expiresInMs === undefined ? {} : { expiresInMs: form.expiresInMs };
      },
    });
  } finally {
    request.raw.off('close', onClose);
    discardRest(request);
  }
}

/** Reads parts one by one; what is no file is kept aside. */
class UploadForm {
  expiresInMs: number | undefined;
  private readonly parts: AsyncIterator<Awaited<ReturnType<AsyncIterator<Part>['next']>>['value']>;

  constructor(request: FastifyRequest) {
    this.parts = request.parts({ limits: FORM_LIMITS, preservePath: true })[Symbol.asyncIterator]();
  }

  /** The next file of the form, or undefined at its end. */
  async nextFile(): Promise<MultipartFile | undefined> {
    for (;;) {
      const next = await this.parts.next().catch((error: unknown) => {
        throw notWhole(error);
      });
      if (next.done === true) return undefined;
      const part = next.value as Part;
      if (part.type === 'file') {
        if (part.fieldname !== FILE_PART) throw invalid('body', 'has a file that is not named "file"');
        return part;
      }
      if (part.fieldname === FILE_PART) throw invalid(FILE_PART, 'must be a file with a filename');
      if (part.fieldname !== EXPIRY_PART) throw invalid('body', 'has a part that is not known here');
      this.expiresInMs = readExpiry(part.value);
    }
  }
}

type Part = MultipartFile | { readonly type: 'field'; readonly fieldname: string; readonly value: unknown };

function readExpiry(value: unknown): number {
  const seconds = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (seconds >= MIN_EXPIRY_S && seconds <= MAX_EXPIRY_S) return seconds * 1_000;
  throw invalid(EXPIRY_PART, `must be a whole number from ${MIN_EXPIRY_S} to ${MAX_EXPIRY_S}`);
}

function toFilename(path: string | undefined): string {
  // Forms of the web have a quotation mark so.
  const name = lastNameOf(path ?? '').replaceAll('%22', '"');
  const fault = faultOfFilename(name);
  if (fault !== undefined) throw invalid(FILE_PART, fault);
  return name;
}

/** A file is no larger than the form that it comes in. */
function announcedOf({ headers }: FastifyRequest): { readonly atMostBytes?: number } {
  const bytes = Number(headers['content-length']);
  return headers['transfer-encoding'] === undefined && bytes >= 0 ? { atMostBytes: bytes } : {};
}

async function* contentOf({ file }: MultipartFile): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of file) yield chunk as Uint8Array;
  } catch (error) {
    throw notWhole(error);
  }
}

function discardRest({ raw }: FastifyRequest): void {
  if (raw.complete || raw.destroyed) return;
  raw.unpipe().resume();
  const timer = setTimeout(() => {
    if (!raw.complete) raw.destroy();
  }, DISCARD_MAX_MS);
  timer.unref();
  raw.once('close', () => clearTimeout(timer));
}

function invalid(where: string, message: string): SluiceError {
  return new SluiceError('invalid_request', `${where}: ${message}`, { where });
}

function notWhole(cause: unknown): SluiceError {
  return new SluiceError('invalid_request', 'body: is not a whole form, or has too many parts', {
    where: 'body',
    cause,
  });
}
