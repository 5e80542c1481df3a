import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lastLines, run } from '../../brokers/command.mjs';
import { cached } from '../../brokers/install.mjs';
import { goModuleFolder } from '../go-modules.mjs';
import { ETCD_VERSION, KUBERNETES_VERSION } from '../versions.mjs';

/** A small machine takes ten minutes for the API server. */
const BUILD_TIMEOUT_MS = 60 * 60_000;

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

/** Builds a program that is in somebody else's module, from a module made for it beside the output. */
async function goBuild(folder, { output, main, goVersion, requirement, replacements, linked }) {
  const moduleFolder = join(folder, 'module');
  await mkdir(moduleFolder);
  await writeFile(
    join(moduleFolder, 'go.mod'),
    [
      'module sluice.tools/build',
      `go ${goVersion}`,
      `require ${requirement}`,
      ...replacements.map((line) => `replace ${line}`),
      '',
    ].join('\n\n'),
  );
  // Names the program, so that `go mod tidy` keeps what it needs.
  await writeFile(join(moduleFolder, 'tools.go'), `//go:build tools\n\npackage tools\n\nimport _ "${main}"\n`);
  for (const args of [
    ['mod', 'tidy'],
    // One package at a time: this is done beside other work.
    ['build', '-p', '1', '-trimpath', `-ldflags=${linked.join(' ')}`, '-o', join(folder, output), main],
  ]) {
    const { code, output: said } = await run('go', args, {
      timeoutMs: BUILD_TIMEOUT_MS,
      cwd: moduleFolder,
      env: { ...process.env, CGO_ENABLED: '0' },
    });
    if (code !== 0) throw new Error(`go ${args[0]} failed for ${main}:\n${lastLines(said, 15)}`);
  }
}
