import { MAX_LISTED_KEYS, type ApiKeyRecord, type ApiKeyStore, type Role } from '@sluice/access';
import { SluiceError } from '@sluice/event-log';
import type { Database } from './database';
import { Prisma, type ApiKey } from './generated/client';
import { orUnavailable } from './unavailable';

/** What the column can hold; any other id names no key. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** API keys in the schema `access`, which is administered and backed up apart from the read model. */
export class PrismaApiKeyStore implements ApiKeyStore {
  constructor(private readonly database: Database) {}

  findByHash(hash: string): Promise<ApiKeyRecord | undefined> {
    return orUnavailable(async () => {
      const row = await this.database.apiKey.findUnique({ where: { hash } });
      return row ? fromRow(row) : undefined;
    });
  }

  findByIds(keyIds: readonly string[]): Promise<readonly ApiKeyRecord[]> {
    const known = keyIds.slice(0, MAX_LISTED_KEYS).filter((keyId) => UUID.test(keyId));
    if (known.length === 0) return Promise.resolve([]);
    return orUnavailable(async () => {
      const rows = await this.database.apiKey.findMany({ where: { keyId: { in: known } } });
      return rows.map(fromRow);
    });
  }

  async insert(record: ApiKeyRecord): Promise<void> {
    await orUnavailable(async () => {
      try {
        await this.database.apiKey.create({ data: toRow(record) });
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw new SluiceError('conflict', 'This API key exists already');
      }
    });
  }

  list({ workspaceId }: { readonly workspaceId: number | null }): Promise<readonly ApiKeyRecord[]> {
    return orUnavailable(async () => {
      const orderBy = { createdAt: 'desc' } as const;
      const rows = await this.database.apiKey.findMany({ where: { workspaceId }, orderBy, take: MAX_LISTED_KEYS });
      return rows.map(fromRow);
    });
  }

  countInForce({ workspaceId, nowMs }: { readonly workspaceId: number; readonly nowMs: number }): Promise<number> {
    const inTime = [{ expiresAt: null }, { expiresAt: { gt: new Date(nowMs) } }];
    return orUnavailable(() => this.database.apiKey.count({ where: { workspaceId, revokedAt: null, OR: inTime } }));
  }

  revoke(query: { readonly keyId: string; readonly workspaceId?: number | undefined }): Promise<boolean> {
    const { keyId, workspaceId } = query;
    if (!UUID.test(keyId)) return Promise.resolve(false);
    return orUnavailable(async () => {
      const { count } = await this.database.apiKey.updateMany({
        where: { keyId, revokedAt: null, ...(workspaceId === undefined ? {} : { workspaceId }) },
        data: { revokedAt: new Date() },
      });
      return count === 1;
    });
  }
}

/** Prisma's code for a unique constraint. */
function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}

function toRow(record: ApiKeyRecord): Prisma.ApiKeyCreateInput {
  return {
    keyId: record.keyId,
    hash: record.hash,
    workspaceId: record.workspaceId,
    role: record.role,
    name: record.name,
    limits: record.limits === undefined ? Prisma.DbNull : { ...record.limits },
    createdAt: new Date(record.createdAt),
    expiresAt: record.expiresAt === undefined ? null : new Date(record.expiresAt),
    revokedAt: record.revokedAt === undefined ? null : new Date(record.revokedAt),
  };
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
    ...(row.limits === null ? {} : { limits: row.limits as NonNullable<ApiKeyRecord['limits']> }),
  };
}
