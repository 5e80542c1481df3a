export { DiskFileStore, openDiskFileStore, SHARED_LEFTOVER_AGE_MS, type DiskFileStoreOptions } from './disk-file-store';
