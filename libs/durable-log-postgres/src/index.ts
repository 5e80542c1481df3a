export type { AppendLimits, PostgresDurableLogOptions } from './options';
export { openPostgresDurableLog, PostgresDurableLog } from './postgres-durable-log';
