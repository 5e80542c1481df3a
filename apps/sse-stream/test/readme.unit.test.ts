import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REGISTRY_CATEGORIES } from '@sluice/event-schema';
import { createLogger, MetricsRegistry, settingsTable } from '@sluice/service-runtime';
import { sseStreamSettings } from '../src/config';
import { STREAM_END_CODES } from '@sluice/event-streams';
import { createSseStreamSignals } from '../src/signals';
import { createSocketSignals } from '../src/socket/socket-signals';

const cells = (row: string) => row.replaceAll(/\s*\|\s*/g, '|');

const readme = readFileSync(join(__dirname, '..', 'README.md'), 'utf8');

it('tells each setting in the README as it is', () => {
  const rows = readme.split('\n').map(cells);
  for (const row of settingsTable(sseStreamSettings).trim().split('\n').slice(2)) expect(rows).toContain(cells(row));
});

it('names every metric of its own', async () => {
  const metrics = new MetricsRegistry();
  const logger = createLogger({ service: 'test', level: 'silent' });
  createSseStreamSignals(metrics, logger);
  createSocketSignals(metrics, logger);
  const names = [...(await metrics.expose()).matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
  expect(names.length).toBeGreaterThanOrEqual(12);
  for (const name of names) expect(readme).toMatch(new RegExp(`\`${name}(\\{[a-z,]+\\})?\``));
});

it('names every code that a stream ends with', () => {
  const codes =
    readme
      .split('| `end` code')[1]
      ?.split('\n\n')[0]
      ?.matchAll(/^\| `(\w+)`/gm) ?? [];
  expect([...codes].map(([, code]) => code).sort()).toEqual([...STREAM_END_CODES].sort());
});

it('names the types of each flag', () => {
  for (const [category, types] of Object.entries(REGISTRY_CATEGORIES)) {
    const row = `|\`${category}\`|${types.map((type) => `\`${type}\``).join(', ')}|`;
    expect(readme.split('\n').map(cells)).toContain(row);
  }
});
