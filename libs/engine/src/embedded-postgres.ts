export interface EmbeddedPostgres { readonly databaseUrl: string; stop(): Promise<void> }
export async function startEmbeddedPostgres(): Promise<EmbeddedPostgres> { throw new Error('pending'); }
