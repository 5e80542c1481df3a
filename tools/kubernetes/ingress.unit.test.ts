import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseObjects, ROOT } from './rendered';

const FILE = join(ROOT, 'k8s', 'base', 'ingress', 'ingress.yaml');

const node = (...args: string[]) => execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });

interface Route {
  readonly path: string;
  readonly pathType: string;
  readonly app: string;
}

function routeTable(): readonly Route[] {
  const script = `import { ROUTES } from './tools/cluster/routes.mjs'; console.log(JSON.stringify(ROUTES));`;
  return JSON.parse(node('--input-type=module', '-e', script)) as Route[];
}

describe('the Ingress', () => {
  const text = readFileSync(FILE, 'utf8');

  it('is what the route table makes now', () => {
    expect(text).toBe(node('tools/kubernetes/write-ingress.mjs', '--print'));
  });

  it('has each route of the table once', () => {
    const routes = parseObjects(text).flatMap(({ metadata, spec }): Route[] =>
      spec.rules[0].http.paths.map(
        ({ path, pathType, backend }: { path: string; pathType: string; backend: object }) => {
          expect(backend).toEqual({ service: { name: metadata.name, port: { name: 'http' } } });
          return { path, pathType, app: metadata.name };
        },
      ),
    );
    const byPath = (a: Route, b: Route) => (a.path + a.pathType < b.path + b.pathType ? -1 : 1);
    expect(routes.sort(byPath)).toEqual([...routeTable()].sort(byPath));
  });
});
