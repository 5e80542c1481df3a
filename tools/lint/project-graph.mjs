import { createProjectGraphAsync, readCachedProjectGraph } from '@nx/devkit';

/**
 * Makes the project graph that `@nx/enforce-module-boundaries` reads. Alone, the rule passes everything when no graph is
 * cached, as on a fresh clone, and trusts a stale one. So the graph is made anew, without the Nx daemon and in about
 * two seconds; one that cannot be made or read ends the run.
 */
export async function makeProjectGraph() {
  process.env.NX_DAEMON = 'false';
  await createProjectGraphAsync({ exitOnError: false });
  readCachedProjectGraph();
}
