import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../../brokers/install.mjs';
import { goBuild } from '../go-build.mjs';
import { goModuleFolder } from '../go-modules.mjs';
import { ETCD_VERSION, KUBERNETES_VERSION } from '../versions.mjs';

/**
 * The API server's binary, built from the Go modules on the first call and kept in the cache folder.
 *
 * Kubernetes' own `go.mod` has its libraries beside it, which modules cannot have: here they are those of the same
 * release under their published versions.
 *
 * @returns {Promise<string>} its path
 */
export async function buildApiServer({ cacheDir, log }) {
  const folder = await cached(cacheDir, `kube-apiserver-${KUBERNETES_VERSION}`, async (draft) => {
    log(`building kube-apiserver ${KUBERNETES_VERSION} (once, some ten minutes)`);
    const source = await goModuleFolder('k8s.io/kubernetes', KUBERNETES_VERSION);
    const itsOwn = await readFile(join(source, 'go.mod'), 'utf8');
    const libraries = [...itsOwn.matchAll(/^\s+(k8s\.io\/\S+) => \.\/staging\//gm)].map(([, name]) => name);
    const version = `v${KUBERNETES_VERSION.replace(/^1\./, '0.')}`;
    await goBuild(draft, {
      output: 'kube-apiserver',
      main: 'k8s.io/kubernetes/cmd/kube-apiserver',
      goVersion: /^go (\S+)$/m.exec(itsOwn)?.[1],
      requirement: `k8s.io/kubernetes v${KUBERNETES_VERSION}`,
      replacements: libraries.map((name) => `${name} => ${name} ${version}`),
      // What its own build script tells it.
      linked: [`-X=k8s.io/component-base/version.gitVersion=v${KUBERNETES_VERSION}`],
    });
  });
  return join(folder, 'kube-apiserver');
}

/** As above for etcd. */
export async function buildEtcd({ cacheDir, log }) {
  const folder = await cached(cacheDir, `etcd-${ETCD_VERSION}`, async (draft) => {
    log(`building etcd ${ETCD_VERSION} (once, some minutes)`);
    const module = 'go.etcd.io/etcd/server/v3';
    const itsOwn = await readFile(join(await goModuleFolder(module, ETCD_VERSION), 'go.mod'), 'utf8');
    await goBuild(draft, {
      output: 'etcd',
      main: module,
      goVersion: /^go (\S+)$/m.exec(itsOwn)?.[1],
      requirement: `${module} v${ETCD_VERSION}`,
      replacements: [],
      linked: [],
    });
  });
  return join(folder, 'etcd');
}
