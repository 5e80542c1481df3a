// Has Prometheus itself check the alerts and the dashboard, and try alerts on series: `node tools/kubernetes/alert-rules.mjs`.
// It needs Go, and builds promtool once (see README.md). Exits with 1 on any fault.
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify, parse } from 'yaml';
import { run } from '../brokers/command.mjs';
import { readConfig } from '../brokers/config.mjs';
import { root } from '../set-up.mjs';
import { buildPromtool } from './alert-rules/promtool.mjs';

const TIMEOUT_MS = 5 * 60_000;
const OBSERVABILITY = join(root, 'k8s', 'observability');

async function main() {
  const { cacheDir } = readConfig();
  const promtool = await buildPromtool({ cacheDir, log: (line) => console.log(line) });
  const folder = await mkdtemp(join(tmpdir(), 'sluice-alert-rules-'));
  try {
    await writeFile(join(folder, 'alerts.yaml'), stringify(await readAlerts()));
    await writeFile(join(folder, 'dashboard.yaml'), stringify(await readDashboard()));
    await copyFile(join(root, 'tools', 'kubernetes', 'alert-rules', 'tests.yaml'), join(folder, 'tests.yaml'));
    let isAllWell = true;
    for (const args of [
      ['check', 'rules', '--lint=all', '--lint-fatal', 'alerts.yaml', 'dashboard.yaml'],
      ['test', 'rules', 'tests.yaml'],
    ]) {
      const { code, output } = await run(promtool, args, { timeoutMs: TIMEOUT_MS, cwd: folder });
      console.log(output.trim());
      isAllWell &&= code === 0;
    }
    return isAllWell;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the operator hands to Prometheus. */
async function readAlerts() {
  return parse(await readFile(join(OBSERVABILITY, 'alerts.yaml'), 'utf8')).spec;
}

/** Each query of the dashboard as a rule: promtool knows no dashboards. */
async function readDashboard() {
  const { panels } = JSON.parse(await readFile(join(OBSERVABILITY, 'dashboard.json'), 'utf8'));
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const rules = queries.map((expr, index) => ({ record: `dashboard:query_${index}`, expr }));
  return { groups: [{ name: 'dashboard', rules }] };
}

process.exitCode = (await main()) ? 0 : 1;
