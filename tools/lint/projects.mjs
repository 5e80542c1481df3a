import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LAYERS } from './layers.mjs';

export const workspaceRoot = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Names that the root package.json offers to the tests of every project. */
export const sharedDevDependencies = Object.keys(readJson('package.json').devDependencies ?? {});

/** Reads a JSON file of the workspace. */
export function readJson(path) {
  return JSON.parse(readFileSync(join(workspaceRoot, path), 'utf8'));
}

/**
 * Every project under libs and apps. Throws where one has no layer, two, or one that the table does not know:
 * a project without rules must not pass.
 */
export function readProjects() {
  return ['libs', 'apps'].flatMap((group) =>
    readdirSync(join(workspaceRoot, group))
      .map((folder) => `${group}/${folder}`)
      .filter((root) => existsSync(join(workspaceRoot, root, 'package.json')))
      .map(readProject),
  );
}

function readProject(root) {
  const { name, nx, dependencies = {}, devDependencies = {} } = readJson(`${root}/package.json`);
  const layers = (nx?.tags ?? []).filter((tag) => tag.startsWith('layer:')).map((tag) => tag.slice('layer:'.length));
  if (layers.length !== 1 || !Object.hasOwn(LAYERS, layers[0])) {
    throw new Error(`${root}/package.json needs exactly one nx tag layer:<${Object.keys(LAYERS).join('|')}>`);
  }
  return {
    root,
    name,
    layer: layers[0],
    dependencies: Object.keys(dependencies),
    devDependencies: Object.keys(devDependencies),
  };
}
