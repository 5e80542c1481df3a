import { SluiceError } from '@sluice/event-log';

/** What went wrong with the disk; which folder and why is in the cause, for logs. */
export function diskFault(cause: unknown): SluiceError {
  return new SluiceError('file_store_unavailable', 'Files cannot be read or stored now', { cause });
}

/** @throws SluiceError `file_store_unavailable` for whatever `use` throws */
export async function onDisk<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    throw diskFault(error);
  }
}

export function isMissing(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
