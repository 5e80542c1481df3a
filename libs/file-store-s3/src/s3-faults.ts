import { S3ServiceException } from '@aws-sdk/client-s3';
import { SluiceError } from '@sluice/event-log';

/** What went wrong with the object storage; what it said is in the cause, for logs. */
export function s3Fault(cause: unknown): SluiceError {
  return new SluiceError('file_store_unavailable', 'Files cannot be read or stored now', { cause });
}

/**
 * @throws SluiceError `file_store_unavailable` for whatever `use` throws; the reason of the signal when that is why
 */
export async function onS3<T>(use: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await use();
  } catch (error) {
    signal?.throwIfAborted();
    throw s3Fault(error);
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404;
}
