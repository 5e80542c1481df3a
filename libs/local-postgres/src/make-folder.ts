import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it, where they are missing. Unlike Node's recursive `mkdir` it ends where a folder says
 * that it exists and takes no new ones (`/proc` is such a one): Node tries that for ever.
 * @throws the system's error
 */
export async function makeFolder(folder: string): Promise<void> {
  if (await makeOne(folder)) return;
  await makeFolder(dirname(folder));
  await mkdir(folder).catch(async (error: unknown) => {
    // Another process was quicker.
    if (codeOf(error) !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw error;
  });
}

/** Whether the folder is there now; false when the one above it is missing. */
async function makeOne(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && dirname(folder) !== folder) return false;
    if ((await stat(folder).catch(() => undefined))?.isDirectory() === true) return true;
    throw error;
  }
}

const codeOf = (error: unknown) => (Object(error) as { code?: unknown }).code;
