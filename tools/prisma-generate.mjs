// Generates the Prisma client. `generate` works with WebAssembly alone, but the CLI insists on an engine binary that it
// would download; any executable satisfies it. The variable is set for this one child only: with it `migrate` does nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const project = join(root, 'libs/read-model');
const output = join(project, 'src/generated/client.ts');
const schema = join(project, 'prisma/schema.prisma');

if (!existsSync(output) || statSync(output).mtimeMs < statSync(schema).mtimeMs) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/prisma/build/index.js'), 'generate'],
    {
      cwd: project,
      env: {
        ...process.env,
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
        CHECKPOINT_DISABLE: '1',
      },
      encoding: 'utf8',
    },
  );
  if (status !== 0) {
    process.stderr.write(`prisma generate failed:\n${stdout}${stderr}`);
    process.exit(1);
  }
}
