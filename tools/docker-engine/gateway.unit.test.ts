import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { evaluate, ROOT } from './run-module';

const CONF_FILE = join(ROOT, 'docker', 'gateway', 'nginx.conf');
const conf = readFileSync(CONF_FILE, 'utf8');

interface Route {
  readonly path: string;
}

const routes = evaluate<readonly Route[]>(
  `import { ROUTES } from './tools/cluster/routes.mjs'; console.log(JSON.stringify(ROUTES));`,
);

/** The locations that send to an app, by what they match. */
function locations(): ReadonlyMap<string, string> {
  const pattern = /location (= )?(\/\S*) \{\s+set \$app (\S+);\s+proxy_pass http:\/\/\$app:8080;/g;
  return new Map([...conf.matchAll(pattern)].map(([, exact = '', path, app]) => [`${exact}${path}`, app ?? '']));
}

/** As nginx chooses: slashes are merged, an exact location wins, else the longest that the path begins with. */
function appByNginx(path: string): string | null {
  const merged = path.replaceAll(/\/+/g, '/');
  const all = locations();
  const exact = all.get(`= ${merged}`);
  if (exact !== undefined) return exact;
  const prefixes = [...all.keys()].filter((match) => !match.startsWith('= ') && merged.startsWith(match));
  const longest = prefixes.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? null : (all.get(longest) ?? null);
}

describe('the gateway of the compose stack', () => {
  it('has the configuration that its generator makes of the route table', () => {
    const made = execFileSync(process.execPath, ['docker/gateway/generate.mjs', '--print'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(conf).toBe(made);
  });

  it('sends every path to the app that the route table names', () => {
    const paths = routes.flatMap(({ path }) => [
      path,
      `${path}/`,
      `/${path}`,
      `${path}/x`,
      `${path}/x/y/`,
      `${path}x`,
      path.slice(0, -1),
      path.split('/').slice(0, -1).join('/') || '/',
    ]);
    const expected = evaluate<readonly (string | null)[]>(
      `import { findRoute } from './tools/cluster/routes.mjs';
       console.log(JSON.stringify(${JSON.stringify(paths)}.map((path) => findRoute(path)?.app ?? null)));`,
    );
    expect(paths.map((path) => ({ path, app: appByNginx(path) }))).toEqual(
      paths.map((path, index) => ({ path, app: expected[index] })),
    );
    expect(new Set(expected).size).toBeGreaterThan(5);
  });

  it('lets streams, uploads and upgrades through, and repeats no request', () => {
    for (const line of [
      'proxy_buffering off;',
      'proxy_request_buffering off;',
      'proxy_set_header Upgrade $http_upgrade;',
      'proxy_next_upstream off;',
      // With `=`, so that the answer has the status of the location and not that of nginx.
      'error_page 502 504 = @away;',
    ]) {
      expect(conf).toContain(line);
    }
  });
});
