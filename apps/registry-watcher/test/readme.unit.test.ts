import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MetricsRegistry, settingsTable } from '@sluice/service-runtime';
import { registryWatcherSettings } from '../src/config';
import { registryWatcherOperations } from '../src/http/operations';
import { createWatcherMetrics } from '../src/watcher-metrics';

const readme = readFileSync(join(__dirname, '..', 'README.md'), 'utf8');
const howTo = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'how-to', 'watch-a-chain.md'), 'utf8');
const cells = (row: string) => row.replaceAll(/\s*\|\s*/g, '|');

it('tells each setting in the README as it is', () => {
  const rows = readme.split('\n').map(cells);
  for (const row of settingsTable(registryWatcherSettings).trim().split('\n').slice(2))
    expect(rows).toContain(cells(row));
});

it('names every path in the README', () => {
  for (const { path } of registryWatcherOperations) expect(readme).toContain(path);
});

it.each([
  ['README', readme],
  ['guide', howTo],
])('names metrics in the %s, and none that there is not', async (_, text) => {
  const registry = new MetricsRegistry();
  createWatcherMetrics(registry);
  const exposed = await registry.expose();
  const names = [...text.matchAll(/sluice_\w+/g)].map(([name]) => name);
  expect(names).not.toEqual([]);
  for (const name of names) expect(exposed).toContain(`# TYPE ${name} `);
});
