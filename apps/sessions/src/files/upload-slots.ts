import { SluiceError } from '@sluice/event-log';

/** When a slot may be free again. */
const RETRY_AFTER_MS = 1_000;

/** Bounds the uploads that come in at a time: all of them, and half as many of one workspace. */
export class UploadSlots {
  private readonly byWorkspace = new Map<number, number>();
  private taken = 0;

  constructor(private readonly maxUploads: number) {}

  /**
   * Runs an upload in a slot.
   * @throws SluiceError `too_many_connections` when the workspace has none left, `overloaded` when there is none at all;
   *   else what `upload` throws
   */
  async run<T>(workspaceId: number, upload: () => Promise<T>): Promise<T> {
    const ofWorkspace = this.byWorkspace.get(workspaceId) ?? 0;
    if (ofWorkspace >= Math.ceil(this.maxUploads / 2)) {
      const message = 'Too many uploads of the workspace at a time';
      throw new SluiceError('too_many_connections', message, { retryAfterMs: RETRY_AFTER_MS });
    }
    if (this.taken >= this.maxUploads) {
      throw new SluiceError('overloaded', 'Too many uploads at a time', { retryAfterMs: RETRY_AFTER_MS });
    }
    this.taken++;
    this.byWorkspace.set(workspaceId, ofWorkspace + 1);
    try {
      return await upload();
    } finally {
      this.taken--;
      const left = (this.byWorkspace.get(workspaceId) ?? 1) - 1;
      if (left > 0) this.byWorkspace.set(workspaceId, left);
      else this.byWorkspace.delete(workspaceId);
    }
  }
}
