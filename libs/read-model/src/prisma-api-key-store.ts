import type { ApiKeyRecord, ApiKeyStore, Role } from '@sluice/access';
import type { Database } from './database';
import { Prisma, type ApiKey } from './generated/client';
import { orUnavailable } from './unavailable';

/** API keys in the schema `access`, which is administered and backed up apart from the read model. */
export class PrismaApiKeyStore implements ApiKeyStore {
  constructor(private readonly database: Database) {}

  findByHash(hash: string): Promise<ApiKeyRecord | undefined> {
    return orUnavailable(async () => {
      const row = await this.database.apiKey.findUnique({ where: { hash } });
      return row ? fromRow(row) : undefined;
    });
  }

  async insert(record: ApiKeyRecord): Promise<void> {
    await orUnavailable(() =>
      this.database.apiKey.create({
        data: {
          keyId: record.keyId,
          hash: record.hash,
          workspaceId: record.workspaceId,
          role: record.role,
          name: record.name,
          limits: record.limits === undefined ? Prisma.DbNull : { ...record.limits },
          createdAt: new Date(record.createdAt),
          expiresAt: record.expiresAt === undefined ? null : new Date(record.expiresAt),
          revokedAt: record.revokedAt === undefined ? null : new Date(record.revokedAt),
        },
      }),
    );
  }

  list({ workspaceId }: { workspaceId: number }): Promise<readonly ApiKeyRecord[]> {
    return orUnavailable(async () => {
      const rows = await this.database.apiKey.findMany({ where: { workspaceId }, orderBy: { createdAt: 'asc' } });
      return rows.map(fromRow);
    });
  }

  revoke({ keyId, workspaceId }: { keyId: string; workspaceId?: number }): Promise<boolean> {
    return orUnavailable(async () => {
      const { count } = await this.database.apiKey.updateMany({
        where: { keyId, revokedAt: null, ...(workspaceId === undefined ? {} : { workspaceId }) },
        data: { revokedAt: new Date() },
      });
      return count === 1;
    });
  }
}

function fromRow(row: ApiKey): ApiKeyRecord {
  return {
    keyId: row.keyId,
    hash: row.hash,
    workspaceId: row.workspaceId,
    role: row.role as Role,
    name: row.name,
    createdAt: row.createdAt.getTime(),
    ...(row.expiresAt === null ? {} : { expiresAt: row.expiresAt.getTime() }),
    ...(row.revokedAt === null ? {} : { revokedAt: row.revokedAt.getTime() }),
    ...(row.limits === null ? {} : { limits: row.limits as ApiKeyRecord['limits'] }),
  };
}
