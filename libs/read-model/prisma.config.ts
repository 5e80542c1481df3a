import { defineConfig } from 'prisma/config';

/** For the Prisma command line only; the services apply the same migrations at start (see src/migrations.ts). */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env['SLUICE_DATABASE_URL'] ?? 'postgresql://localhost:5432/sluice' },
});
