import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

interface TestFile {
  readonly path: string;
  readonly context: object;
}

const load = createRequire(__filename);
const SlowestFirst = load('./slowest-first.cjs') as {
  new (options: { readonly contexts: readonly object[]; readonly globalConfig: object }): {
    sort(tests: readonly TestFile[]): readonly TestFile[];
  };
  readonly SLOW_FILES: readonly string[];
};
const rootDir = resolve(__dirname, '../..');

/** The order in which these files run on a machine that never ran them. */
function orderOf(sizes: Readonly<Record<string, number>>): readonly string[] {
  const context = {
    config: { rootDir, cacheDirectory: join(rootDir, 'no-such-folder'), id: 'none' },
    hasteFS: { getSize: (path: string) => sizes[path.slice(rootDir.length + 1)] },
  };
  const tests = Object.keys(sizes).map((path) => ({ path: join(rootDir, path), context }));
  const sequencer = new SlowestFirst({ contexts: [context], globalConfig: {} });
  return sequencer.sort(tests).map(({ path }) => path.slice(rootDir.length + 1));
}

it('begins with what takes longest, then goes by the level, and in a level by the size', () => {
  const [longest = '', second = ''] = SlowestFirst.SLOW_FILES;
  expect(
    orderOf({
      'libs/x/a.unit.test.ts': 9_000,
      'libs/x/b.unit.test.ts': 90_000,
      'libs/x/c.int.test.ts': 10,
      'e2e/d.e2e.test.ts': 1,
      [second]: 2,
      [longest]: 1,
    }),
  ).toEqual([
    longest,
    second,
    'e2e/d.e2e.test.ts',
    'libs/x/c.int.test.ts',
    'libs/x/b.unit.test.ts',
    'libs/x/a.unit.test.ts',
  ]);
});

it.each(SlowestFirst.SLOW_FILES)('knows %s, which is there', (path) => {
  expect(existsSync(join(rootDir, path))).toBe(true);
});
