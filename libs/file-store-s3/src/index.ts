export { openS3FileStore, S3FileStore, type S3FileStoreOptions } from './s3-file-store';
