// `npm start`: everything in one process on the embedded engine. Sets up a fresh clone first, then becomes that process.
import { build, installDependencies } from './set-up.mjs';

const startedAt = Date.now();
const log = (line) => console.log(`[${Math.round((Date.now() - startedAt) / 1000)} s] ${line} ...`);

try {
  await installDependencies(log);
  await build(log);
} catch (error) {
  console.error(`Sluice could not be set up: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
log('starting');
await import('../apps/all-in-one/dist/main.js');
