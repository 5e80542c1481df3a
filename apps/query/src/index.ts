export { querySettings, toQueryConfig, type QueryConfig } from './config';
export { createQueryPart } from './query-part';
