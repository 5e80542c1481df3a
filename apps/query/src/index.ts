export { querySettings, toQueryConfig, type QueryConfig } from './config';
export { queryOperations } from './http/operations';
export { createQueryPart } from './query-part';
