import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

const OWNER_ALONE = 0o600;

/**
 * Writes a file that this user alone can read, or replaces it. Nobody ever finds half of it, and what was resolved is on
 * the disk, also after a power cut: the text before it gets its name, and the name before this resolves.
 * @throws the system's error; the file is then as it was
 */
export async function keepFile(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  const file = await open(beside, 'w', OWNER_ALONE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  await syncFolder(dirname(path));
}

/** Names in a folder are on the disk when it is synced itself. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
