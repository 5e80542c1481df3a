/**
 * What one workspace needs at run time, from the lock file: itself, the workspaces and the packages that it depends on,
 * and so on. Optional dependencies count where they are installed; optional peers do not, because nobody asked for them.
 *
 * @param {Record<string, LockedPackage>} packages `packages` of a package-lock.json of version 3
 * @param {string} workspace its folder, for instance `apps/ingest`
 * @param {(location: string) => boolean} isInstalled whether a folder of the lock file is on the disk
 * @returns {{ workspaces: string[], packages: string[] }} folders, sorted
 * @throws Error that names what is missing
 *
 * @typedef {{
 *   link?: boolean, resolved?: string, dependencies?: Record<string, string>, optionalDependencies?: Record<string, string>,
 *   peerDependencies?: Record<string, string>, peerDependenciesMeta?: Record<string, { optional?: boolean }>,
 * }} LockedPackage
 */
export function closureOf(packages, workspace, isInstalled) {
  if (packages[workspace] === undefined) throw new Error(`the lock file has no workspace ${workspace}`);
  const found = new Set([workspace]);
  for (const location of found) {
    for (const { name, isRequired } of dependenciesOf(packages[location])) {
      const place = resolve(packages, location, name);
      if (place !== undefined && isInstalled(place)) found.add(place);
      else if (isRequired) throw new Error(`${location} needs ${name}, which is not installed`);
    }
  }
  const isPackage = (location) => location.includes('node_modules/');
  return {
    workspaces: [...found].filter((location) => !isPackage(location)).sort(),
    packages: [...found].filter(isPackage).sort(),
  };
}

function dependenciesOf({
  dependencies = {},
  optionalDependencies = {},
  peerDependencies = {},
  peerDependenciesMeta = {},
}) {
  const required = Object.keys(dependencies).filter((name) => !(name in optionalDependencies));
  const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);
  return [
    ...[...required, ...peers].map((name) => ({ name, isRequired: true })),
    ...Object.keys(optionalDependencies).map((name) => ({ name, isRequired: false })),
  ];
}

/** As Node looks for a package: in the folder itself, then in those above it. A link is followed to its workspace. */
function resolve(packages, from, name) {
  for (let folder = from; ; folder = parentOf(folder)) {
    const location = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    const entry = packages[location];
    if (entry !== undefined) return entry.link ? entry.resolved : location;
    if (folder === '') return undefined;
  }
}

/** The folder that the next `node_modules` above is in. */
function parentOf(folder) {
  const last = folder.lastIndexOf('/node_modules/');
  return last === -1 ? '' : folder.slice(0, last);
}
