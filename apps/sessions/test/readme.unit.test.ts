import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingsTable } from '@sluice/service-runtime';
import { sessionsSettings } from '../src/config';
import { sessionsOperations } from '../src/http/operations';

const readme = readFileSync(join(__dirname, '..', 'README.md'), 'utf8');
const cells = (row: string) => row.replaceAll(/\s*\|\s*/g, '|');

it('tells each setting in the README as it is', () => {
  const rows = readme.split('\n').map(cells);
  for (const row of settingsTable(sessionsSettings).trim().split('\n').slice(2)) expect(rows).toContain(cells(row));
});

it('names every path in the README', () => {
  // What is done with a thing that is named is told after it.
  for (const { path } of sessionsOperations) expect(readme).toContain(path.replace(/\/(archive|stream)$/, ''));
});
