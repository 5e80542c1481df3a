import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../../brokers/install.mjs';
import { goBuild } from '../go-build.mjs';
import { goModuleFolder } from '../go-modules.mjs';
import { PROMETHEUS_VERSION } from '../versions.mjs';

const MODULE = 'github.com/prometheus/prometheus';

/**
 * Prometheus' own tool for rules, built from its Go module on the first call and kept in the cache folder.
 *
 * @returns {Promise<string>} its path
 */
export async function buildPromtool({ cacheDir, log }) {
  const folder = await cached(cacheDir, `promtool-${PROMETHEUS_VERSION}`, async (draft) => {
    log(`building promtool ${PROMETHEUS_VERSION} (once, some five minutes)`);
    const itsOwn = await readFile(join(await goModuleFolder(MODULE, PROMETHEUS_VERSION), 'go.mod'), 'utf8');
    await goBuild(draft, {
      output: 'promtool',
      main: `${MODULE}/cmd/promtool`,
      goVersion: /^go (\S+)$/m.exec(itsOwn)?.[1],
      requirement: `${MODULE} v${PROMETHEUS_VERSION}`,
      // Rules need none of the clouds in which targets are found.
      tags: ['remove_all_sd'],
    });
  });
  return join(folder, 'promtool');
}
