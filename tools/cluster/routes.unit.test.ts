import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

/** Asks the table, which is an ES module, in a process of its own. */
function appsOf(paths: readonly string[]): readonly (string | null)[] {
  const script = `import { findRoute } from './tools/cluster/routes.mjs';
    console.log(JSON.stringify(${JSON.stringify(paths)}.map((path) => findRoute(path)?.app ?? null)));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: ROOT, encoding: 'utf8' });
  return JSON.parse(output) as (string | null)[];
}

interface DescribedOperation {
  readonly 'x-sluice-app'?: string;
}

/** Every door of the apps with the app that has it, as the checked description of all routes tells. */
function describedDoors(): readonly { readonly path: string; readonly app: string }[] {
  const text = readFileSync(join(ROOT, 'docs', 'reference', 'openapi.json'), 'utf8');
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, DescribedOperation>> };
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.values(item).flatMap(({ 'x-sluice-app': app }) =>
      app === undefined ? [] : [{ path: path.replaceAll(/\{[^}]+\}/g, 'x'), app }],
    ),
  );
}

/** Each process has these of its own; the proxy answers for all of them. */
const OWN_DOORS = ['/health', '/ready', '/metrics', '/openapi.json', '/asyncapi.json'];

describe('the route table', () => {
  it('sends every door to the app that has it', () => {
    const doors = describedDoors().filter(({ path }) => !OWN_DOORS.includes(path));
    expect(new Set(doors.map(({ app }) => app))).toEqual(
      new Set(['ingest', 'projector', 'query', 'registry-watcher', 'sessions', 'sse-stream', 'webhooks', 'workspace']),
    );
    const sent = appsOf(doors.map(({ path }) => path));
    expect(doors.map(({ path }, index) => ({ path, app: sent[index] }))).toEqual(
      doors.map(({ path, app }) => ({ path, app })),
    );
  });

  it('tells paths apart by whole segments, and the longest match wins', () => {
    const expected = {
      '/events': 'ingest',
      '/events/': 'ingest',
      '//events': 'ingest',
      '/events/sandbox-1': 'query',
      '/eventsx': null,
      '/v1/stream': 'sse-stream',
      '/v1/stream/x': null,
      '/v1/admin/keys/1': 'query',
      '/v1': null,
      '/': null,
    };
    expect(appsOf(Object.keys(expected))).toEqual(Object.values(expected));
  });
});
