import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const CONTROLLER = /@Controller\((?:'([^']*)')?\)/;
const DOOR = /@(?:Get|Post|Put|Patch|Delete)\((?:'([^']*)')?\)|fastify\.(?:get|post|put|delete)\('([^']+)'/g;

/** Asks the table, which is an ES module, in a process of its own. */
function appsOf(paths: readonly string[]): readonly (string | null)[] {
  const script = `import { findRoute } from './tools/cluster/routes.mjs';
    console.log(JSON.stringify(${JSON.stringify(paths)}.map((path) => findRoute(path)?.app ?? null)));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: ROOT, encoding: 'utf8' });
  return JSON.parse(output) as (string | null)[];
}

/** Every path that an app's sources register, with a value for each parameter. */
function doorsOf(app: string): readonly string[] {
  const folder = join(ROOT, 'apps', app, 'src', 'http');
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  return files.flatMap((file) => {
    const source = readFileSync(join(folder, file), 'utf8');
    const prefix = CONTROLLER.exec(source)?.[1] ?? '';
    return [...source.matchAll(DOOR)].map(([, nested = '', bare = '']) => {
      const path = [prefix, nested, bare].filter((part) => part !== '').join('/');
      return `/${path.replace(/^\//, '').replaceAll(/:[a-zA-Z]+/g, 'x')}`;
    });
  });
}

describe('the route table', () => {
  it.each([
    ['ingest', 1],
    ['query', 13],
    ['sse-stream', 1],
  ])('sends every door of %s there', (app, atLeast) => {
    const doors = doorsOf(app);
    expect(doors.length).toBeGreaterThanOrEqual(atLeast);
    expect(appsOf(doors)).toEqual(doors.map(() => app));
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
