export { keepFile } from './keep-file';
export { makeFolder } from './make-folder';
export { startLocalPostgres, type LocalPostgres, type LocalPostgresOptions } from './local-postgres';
export { runStatement } from './run-statement';
export { tablesWith } from './tables-with';
export { startTemporaryPostgres } from './temporary-postgres';
