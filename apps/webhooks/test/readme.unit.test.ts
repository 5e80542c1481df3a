import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger, MetricsRegistry, settingsTable } from '@sluice/service-runtime';
import { webhooksSettings } from '../src/config';
import { webhooksOperations } from '../src/http/operations';
import { createWebhookSignals } from '../src/signals';

const readme = readFileSync(join(__dirname, '..', 'README.md'), 'utf8');
const cells = (row: string) => row.replaceAll(/\s*\|\s*/g, '|');

it('tells each setting in the README as it is', () => {
  const rows = readme.split('\n').map(cells);
  for (const row of settingsTable(webhooksSettings).trim().split('\n').slice(2)) expect(rows).toContain(cells(row));
});

it('names every path in the README', () => {
  for (const { path } of webhooksOperations) expect(readme).toContain(path);
});

it('names every metric in the README, and none that there is not', async () => {
  const registry = new MetricsRegistry();
  createWebhookSignals(registry, createLogger({ service: 'test', level: 'silent' }));
  const exposed = [...(await registry.expose()).matchAll(/# TYPE (\w+) /g)].map(([, name]) => name);
  const named = new Set([...readme.matchAll(/sluice_\w+/g)].map(([name]) => name));
  expect([...named].sort()).toEqual([...new Set(exposed)].sort());
});
