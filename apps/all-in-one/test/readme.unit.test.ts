import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingsTable } from '@sluice/service-runtime';
import { allInOneSettings } from '../src/config';

const cells = (row: string) => row.replaceAll(/\s*\|\s*/g, '|');

it('tells each setting in the README as it is', () => {
  const rows = readFileSync(join(__dirname, '..', 'README.md'), 'utf8')
    .split('\n')
    .map(cells);
  for (const row of settingsTable(allInOneSettings).trim().split('\n').slice(2)) expect(rows).toContain(cells(row));
});
