import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BrokerRights } from './secured-brokers';

const PAGE = resolve(__dirname, '../../../docs/how-to/deploy-to-kubernetes.md');

/** The cells of the one table of the page that has these columns. @throws Error when there is none */
function rowsOf(...columns: readonly string[]): readonly (readonly string[])[] {
  const lines = readFileSync(PAGE, 'utf8').split('\n');
  const cells = (line = '') =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const head = lines.findIndex((line) => cells(line).join() === columns.join());
  if (head === -1) throw new Error(`The page has no table with the columns ${columns.join(', ')}`);
  const below = lines.slice(head + 2);
  return below
    .slice(
      0,
      below.findIndex((line) => !line.startsWith('|')),
    )
    .map(cells);
}

const quoted = (cell = ''): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);

export interface Permissions {
  readonly publish: { readonly allow: readonly string[] };
  readonly subscribe: { readonly allow: readonly string[] };
}

/** What the page says that the user of NATS needs, of an installation with another prefix. */
export function documentedPermissions(prefix: string): Permissions {
  const rows = rowsOf('for', 'of', 'publish', 'subscribe');
  const rename = (subject: string) =>
    subject.replace('sluice.', `${prefix}.`).replace('SLUICE_', `${prefix.toUpperCase()}_`);
  const allow = (column: number) => rows.flatMap((row) => quoted(row[column])).map(rename);
  return { publish: { allow: allow(2) }, subscribe: { allow: allow(3) } };
}

/** Kafka's numbers of what the page names. */
const RESOURCE_TYPES: Readonly<Record<string, number>> = { topic: 2, topics: 2, group: 3, groups: 3, cluster: 4 };
const OPERATIONS: Readonly<Record<string, number>> = {
  read: 3,
  write: 4,
  create: 5,
  describe: 8,
  'describe configs': 10,
  'idempotent write': 12,
};
const LITERAL = 3;

/** What the page says that the user of Kafka needs, of an installation with another prefix, without the given right. */
export function documentedKafkaRights(prefix: string, without?: string): BrokerRights['kafka'] {
  return rowsOf('for', 'of', 'rights').flatMap(([, resources = '', rights = '']) => {
    const resourceType = numberOf(RESOURCE_TYPES, resources.split(' ')[0] ?? '');
    const operations = rights.split(', ').filter((right) => right !== without);
    return quoted(resources).flatMap((resourceName) =>
      operations.map((right) => ({
        resourceType,
        resourceName: resourceName.replace(/^sluice\./, `${prefix}.`),
        resourcePatternType: LITERAL,
        operation: numberOf(OPERATIONS, right),
      })),
    );
  });
}

function numberOf(numbers: Readonly<Record<string, number>>, name: string): number {
  const found = numbers[name];
  if (found === undefined) throw new Error(`The page names "${name}", which Kafka does not have`);
  return found;
}
