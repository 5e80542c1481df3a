export { ingestSettings, toIngestConfig, type IngestConfig } from './config';
export { ingestOperations } from './http/operations';
export { createIngestPart } from './ingest-part';
