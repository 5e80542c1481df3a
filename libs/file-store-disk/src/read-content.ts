import { open, type FileHandle } from 'node:fs/promises';
import { diskFault, onDisk } from './disk-faults';

/** Bytes that are read at once. */
const READ_BYTES = 65_536;

/** What tells a file from another that took its name. */
export interface FileIdentity {
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
}

/** The bytes of that very file. @throws SluiceError `file_store_unavailable`, also when it is another one by now */
export async function* readContent(path: string, identity: FileIdentity): AsyncGenerator<Uint8Array> {
  const handle = await onDisk(() => open(path, 'r'));
  try {
    await onDisk(() => expectIdentity(handle, identity));
    for (let leftBytes = identity.size; leftBytes > 0;) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, leftBytes));
      const { bytesRead } = await onDisk(() => handle.read(chunk));
      if (bytesRead === 0) throw diskFault(new Error(`${path} ends ${leftBytes} bytes early`));
      leftBytes -= bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function expectIdentity(handle: FileHandle, { ino, size, mtimeMs }: FileIdentity): Promise<void> {
  const now = await handle.stat();
  if (now.ino !== ino || now.size !== size || now.mtimeMs !== mtimeMs) {
    throw new Error('The file was replaced since it was looked up');
  }
}
