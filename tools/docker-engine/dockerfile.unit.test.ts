import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run-module';

const read = (...path: readonly string[]): string => readFileSync(join(ROOT, ...path), 'utf8');

interface Instruction {
  readonly name: string;
  readonly text: string;
}

interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** Lines that end with a backslash go on in the next one; comments are left out. */
function parseStages(file: string): readonly Stage[] {
  const whole = file
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '');
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const line of whole.split('\n').filter((each) => each !== '')) {
    const [, name = '', text = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    const [, base = '', stage = ''] = /^(\S+) AS (\S+)$/.exec(text) ?? [];
    if (name === 'FROM') stages.push({ name: stage, base, instructions: [] });
    else stages.at(-1)?.instructions.push({ name, text });
  }
  return stages;
}

const stages = parseStages(read('docker', 'Dockerfile'));
const stageOf = (name: string): Stage => {
  const stage = stages.find((each) => each.name === name);
  if (stage === undefined) throw new Error(`there is no stage ${name}`);
  return stage;
};
const textsOf = (stage: Stage, instruction: string): readonly string[] =>
  stage.instructions.filter(({ name }) => name === instruction).map(({ text }) => text);

describe('the Dockerfile', () => {
  it('ends with the stage that runs, from a base that can be given', () => {
    expect(stages.at(-1)?.name).toBe('runtime');
    const known = ['scratch', 'NODE_IMAGE', 'RUNTIME_IMAGE', ...stages.map(({ name }) => name)];
    const bases = stages.map(({ base }) => base.replace(/^\$\{(.*)\}$/, '$1'));
    expect(bases.filter((base) => !known.includes(base))).toEqual([]);
  });

  it('runs as a numbered user without rights, behind an init process, with a health check', () => {
    const runtime = stageOf('runtime');
    expect(textsOf(runtime, 'USER')).toEqual(['10001:10001']);
    expect(textsOf(runtime, 'ENTRYPOINT')).toEqual(['["/usr/local/bin/tini", "--"]']);
    expect(textsOf(runtime, 'CMD')).toEqual(['["/app/start"]']);
    expect(textsOf(runtime, 'HEALTHCHECK').join()).toContain('CMD ["node", "healthcheck.mjs", "/health"]');
    expect(textsOf(runtime, 'ENV').join()).toContain('NODE_OPTIONS=--enable-source-maps');
  });

  it('takes into the image only what other stages made, and runs nothing there', () => {
    const runtime = stageOf('runtime');
    expect(textsOf(runtime, 'RUN')).toEqual([]);
    expect(textsOf(runtime, 'ADD')).toEqual([]);
    for (const text of textsOf(runtime, 'COPY')) expect(text).toMatch(/^--from=(?:node|init|bundle) /);
    // Only what has to be writable belongs to the user.
    expect(textsOf(runtime, 'COPY').filter((text) => text.includes('--chown'))).toEqual([
      '--from=bundle --chown=10001:10001 /bundle/data/ /data/',
    ]);
  });

  it('installs from the lock file by the manifests of every workspace', () => {
    const [copied = ''] = textsOf(stageOf('manifests'), 'RUN');
    const { workspaces } = JSON.parse(read('package.json')) as { workspaces: readonly string[] };
    for (const pattern of workspaces) expect(copied).toContain(` ${pattern}/package.json`);
    expect(copied).toContain(' package-lock.json');
    expect(copied).toContain(' .npmrc');
    const [installed = ''] = textsOf(stageOf('dependencies'), 'RUN');
    expect(installed).toContain('npm ci --ignore-scripts');
    expect(installed).not.toMatch(/npm (?:i|install)\b/);
  });

  it('keeps no secret in a layer', () => {
    const all = stages.flatMap(({ instructions }) => instructions);
    const settings = all.filter(({ name }) => ['ARG', 'ENV'].includes(name)).map(({ text }) => text);
    expect(settings.filter((text) => /TOKEN|PASSWORD|SECRET|npmrc/i.test(text))).toEqual([]);
  });
});

describe('what the engine of Docker is given to build from', () => {
  const lines = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

  it('is a list of what is needed: nothing else of the folder goes into it', () => {
    expect(lines[0]).toBe('*');
    expect(lines).toEqual(
      expect.arrayContaining(['!apps', '!libs', '!package-lock.json', '**/node_modules', '**/dist', '**/.env*']),
    );
    expect(lines).not.toContain('!.git');
  });

  it('has every file that the build runs or copies', () => {
    const bundle = read('docker', 'image', 'bundle.mjs');
    const programs = [...bundle.matchAll(/'((?:docker|tools)\/[^']+\.mjs)'/g)].map(([, path = '']) => path);
    const imported = [...bundle.matchAll(/from '\.\.\/\.\.\/([^']+)'/g)].map(([, path = '']) => path);
    const run =
      textsOf(stageOf('build'), 'RUN')
        .join()
        .match(/tools\/\S+\.mjs/g) ?? [];
    const needed = [...programs, ...imported, ...run];
    expect(needed).toEqual(
      expect.arrayContaining([
        'tools/cluster/dev-file.mjs',
        'tools/cluster/node-args.mjs',
        'tools/prisma-generate.mjs',
      ]),
    );
    const allowed = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    for (const path of needed) {
      expect({ path, isAllowed: allowed.some((each) => path === each || path.startsWith(`${each}/`)) }).toEqual({
        path,
        isAllowed: true,
      });
    }
  });
});
