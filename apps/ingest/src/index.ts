export { ingestSettings, toIngestConfig, type IngestConfig } from './config';
export { createIngestPart } from './ingest-part';
