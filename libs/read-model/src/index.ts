export { DEFAULT_POOL_SIZE, type DatabaseOptions } from './database';
export { applyMigrations } from './migrations';
export { openReadModel, PrismaReadModel, type ReadModelOptions } from './prisma-read-model';
export type { SandboxActivity } from './prisma-sandboxes';
export type { ProjectEvent } from './record-transaction';
