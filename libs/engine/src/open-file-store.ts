import type { FileStore } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { openDiskFileStore } from '@sluice/file-store-disk';
import type { EngineConfig } from './engine-settings';

/** Where the configured engine keeps files. @throws SluiceError `configuration` where no place is set */
export async function openFileStore(config: Exclude<EngineConfig, { engine: 'memory' }>): Promise<FileStore> {
  const { engine, files } = config;
  switch (files?.store) {
    case undefined:
      throw new SluiceError('configuration', 'SLUICE_FILES_DIR is required by SLUICE_FILES=disk');
    case 'disk':
      return openDiskFileStore({ folder: files.folder, isShared: engine === 'cluster' });
    case 's3': {
      // Loaded where it is used: it takes as much memory as the rest of a small app.
      const { openS3FileStore } = await import('@sluice/file-store-s3');
      return openS3FileStore(files);
    }
  }
}
