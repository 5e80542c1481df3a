// Applies both overlays to a real API server: `node tools/kubernetes/api-server.mjs`. It needs Go and kubectl, and builds
// the server once (see README.md). Each overlay gets a server of its own. Exits with 1 on any refusal or warning.
import { join } from 'node:path';
import { readConfig } from '../brokers/config.mjs';
import { root } from '../set-up.mjs';
import { applyCustomKinds, applyOverlay } from './api-server/apply.mjs';
import { buildApiServer, buildEtcd } from './api-server/build.mjs';
import { startApiServer } from './api-server/server.mjs';

const OVERLAYS = ['dev', 'production'];

async function main() {
  const log = (line) => console.log(line);
  const { cacheDir } = readConfig();
  const binaries = { etcd: await buildEtcd({ cacheDir, log }), apiServer: await buildApiServer({ cacheDir, log }) };
  const results = [];
  for (const overlay of OVERLAYS) {
    const server = await startApiServer({ ...binaries, log });
    try {
      log(`${overlay}: applying to Kubernetes ${server.version}`);
      await applyCustomKinds(server.kubeconfig);
      const folder = join(root, 'k8s', 'overlays', overlay);
      results.push({ overlay, ...(await applyOverlay({ kubeconfig: server.kubeconfig, overlay: folder })) });
    } finally {
      await server.stop();
    }
  }
  return report(results);
}

function report(results) {
  const kinds = [...new Set(results.flatMap(({ accepted }) => [...accepted.keys()]))].sort();
  console.table(
    Object.fromEntries([
      ...kinds.map((kind) => [kind, Object.fromEntries(results.map((r) => [r.overlay, r.accepted.get(kind) ?? 0]))]),
      ['(pods admitted)', Object.fromEntries(results.map((r) => [r.overlay, r.admittedPods]))],
      ['(complaints)', Object.fromEntries(results.map((r) => [r.overlay, r.complaints.length]))],
    ]),
  );
  for (const { overlay, complaints } of results) for (const line of complaints) console.error(`${overlay}: ${line}`);
  return results.every(({ accepted, complaints }) => accepted.size > 0 && complaints.length === 0);
}

process.exitCode = (await main()) ? 0 : 1;
