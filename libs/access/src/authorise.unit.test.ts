import { EVENT_FAMILIES, PUBLIC_WORKSPACE_ID } from '@sluice/event-schema';
import { SluiceError } from '@sluice/event-log';
import { authorise, type Resource } from './authorise';
import type { Principal } from './principal';
import type { StreamScope } from './tokens/stream-scope';
import { ACTIONS, ROLES, WORKSPACE_ROLES, type Action, type Role } from './roles';

const key = (role: Role): Principal => ({
  kind: 'api_key',
  keyId: 'k',
  workspaceId: role === 'operator' ? null : 1,
  role,
  limits: {},
});

const sandbox: Principal = { kind: 'sandbox', sandboxId: 'own', workspaceId: 1, expiresAt: 0 };

function verdict(principal: Principal, action: Action, resource: Resource): string {
  try {
    authorise(principal, action, resource);
    return 'allowed';
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return error.code;
  }
}

const ALLOWED: Record<Role, readonly Action[]> = {
  reader: ['read', 'stream'],
  writer: ['read', 'stream', 'append'],
  admin: ['read', 'stream', 'append', 'administer'],
  operator: ['read', 'stream', 'append', 'administer'],
};

const matrix = <A, B>(a: readonly A[], b: readonly B[]): Array<[A, B]> =>
  a.flatMap((x) => b.map((y): [A, B] => [x, y]));

const OWN_RESOURCES: readonly Resource[] = [
  { workspaceId: 1 },
  ...EVENT_FAMILIES.flatMap((family) => [
    { workspaceId: 1, family },
    { workspaceId: 1, family, entityId: 'any' },
  ]),
];

describe('API keys', () => {
  it.each(matrix(ROLES, ACTIONS))('%s, %s in its own workspace', (role, action) => {
    for (const resource of OWN_RESOURCES) {
      const isPlatforms = action === 'append' && resource.family === 'registry' && role !== 'operator';
      const isAllowed = ALLOWED[role].includes(action) && !isPlatforms;
      expect(verdict(key(role), action, resource)).toBe(isAllowed ? 'allowed' : 'forbidden');
    }
  });

  it.each(matrix(WORKSPACE_ROLES, ACTIONS))('%s, %s in a foreign workspace: unauthorized', (role, action) => {
    for (const resource of OWN_RESOURCES) {
      for (const workspaceId of [PUBLIC_WORKSPACE_ID, 2, NaN]) {
        const isPublic = workspaceId === PUBLIC_WORKSPACE_ID && resource.family === 'registry';
        const isReading = action === 'read' || action === 'stream';
        const expected = isPublic && isReading ? 'allowed' : 'unauthorized';
        expect(verdict(key(role), action, { ...resource, workspaceId })).toBe(expected);
      }
    }
  });

  it.each(matrix(ROLES, ACTIONS))('%s, %s on the whole platform', (role, action) => {
    expect(verdict(key(role), action, { workspaceId: null })).toBe(role === 'operator' ? 'allowed' : 'forbidden');
  });
});

describe('sandbox tokens', () => {
  it.each(ACTIONS)('%s', (action) => {
    const own: Resource = { workspaceId: 1, family: 'sandbox', entityId: 'own' };
    expect(verdict(sandbox, action, own)).toBe(action === 'administer' ? 'forbidden' : 'allowed');
    expect(verdict(sandbox, action, { ...own, workspaceId: 2 })).toBe('unauthorized');
    expect(verdict(sandbox, action, { workspaceId: 2 })).toBe('unauthorized');
    for (const entityId of ['other', '', 'own ', 'OWN', 'own\u0000']) {
      expect(verdict(sandbox, action, { ...own, entityId })).toBe('unauthorized');
      expect(verdict(sandbox, action, { workspaceId: 1, entityId })).toBe('unauthorized');
    }
    for (const resource of [
      { workspaceId: null },
      { workspaceId: 1 },
      { workspaceId: 1, family: 'sandbox' },
      { workspaceId: 1, entityId: 'own' },
      { workspaceId: 1, family: 'session', entityId: 'own' },
    ] satisfies Resource[]) {
      expect(verdict(sandbox, action, resource)).toBe('forbidden');
    }
  });
});

describe('registry events', () => {
  const PUBLIC: Resource = { workspaceId: PUBLIC_WORKSPACE_ID, family: 'registry' };
  const local: Principal = { kind: 'local', workspaceId: 1 };

  it.each(ACTIONS)('%s: for every key, by operators only where it changes something', (action) => {
    const isReading = action === 'read' || action === 'stream';
    for (const resource of [PUBLIC, { ...PUBLIC, entityId: '1:22' }]) {
      expect(verdict(key('operator'), action, resource)).toBe('allowed');
      for (const each of [...WORKSPACE_ROLES.map(key), local]) {
        expect(verdict(each, action, resource)).toBe(isReading ? 'allowed' : 'unauthorized');
      }
      expect(verdict(sandbox, action, resource)).toBe('unauthorized');
    }
  });

  it('let nobody read anything else of the public workspace, nor write there with a key of it', () => {
    for (const family of [undefined, ...EVENT_FAMILIES.filter((each) => each !== 'registry')]) {
      expect(verdict(key('admin'), 'stream', { ...PUBLIC, family })).toBe('unauthorized');
      const insider: Principal = { ...key('admin'), workspaceId: PUBLIC_WORKSPACE_ID };
      expect(verdict(insider, 'append', { ...PUBLIC, family })).toBe('forbidden');
      expect(
        verdict({ ...sandbox, workspaceId: 0 }, 'append', {
          ...PUBLIC,
          family: 'sandbox',
          entityId: 'own',
        }),
      ).toBe('forbidden');
    }
  });
});

describe('stream tokens', () => {
  const token = (scope: StreamScope): Principal => {
    return { kind: 'stream', keyId: 'k', workspaceId: 1, scope, expiresAt: 0, limits: {} };
  };

  it.each(ACTIONS)('%s: streaming and nothing else', (action) => {
    for (const resource of OWN_RESOURCES) {
      expect(verdict(token({}), action, resource)).toBe(action === 'stream' ? 'allowed' : 'forbidden');
      expect(verdict(token({}), action, { ...resource, workspaceId: 2 })).toBe('unauthorized');
    }
    expect(verdict(token({}), action, { workspaceId: null })).toBe('forbidden');
  });

  it('streams public registry events where the scope has them', () => {
    const registry: Resource = { workspaceId: PUBLIC_WORKSPACE_ID, family: 'registry' };
    expect(verdict(token({}), 'stream', registry)).toBe('allowed');
    expect(verdict(token({ families: ['registry'] }), 'stream', registry)).toBe('allowed');
    expect(verdict(token({ families: ['workspace'] }), 'stream', registry)).toBe('forbidden');
    expect(verdict(token({}), 'read', registry)).toBe('forbidden');
  });

  it('stays within families and entities of the scope, and names them', () => {
    const scoped = token({ families: ['workspace', 'session'], entityIds: ['task/1'] });
    const own: Resource = { workspaceId: 1, family: 'session', entityId: 'task/1' };
    expect(verdict(scoped, 'stream', own)).toBe('allowed');
    for (const beyond of [
      { ...own, family: undefined },
      { ...own, family: 'sandbox' },
      { ...own, entityId: undefined },
      { ...own, entityId: 'task/2' },
    ] satisfies Resource[]) {
      expect(verdict(scoped, 'stream', beyond)).toBe('forbidden');
    }
  });
});

describe('local callers', () => {
  it.each(ACTIONS)('%s as a writer of their workspace', (action) => {
    const local: Principal = { kind: 'local', workspaceId: 1 };
    for (const resource of OWN_RESOURCES) {
      expect(verdict(local, action, resource)).toBe(verdict(key('writer'), action, resource));
      expect(verdict(local, action, { ...resource, workspaceId: 2 })).toBe('unauthorized');
    }
  });
});

it('words what is foreign as a bad credential', () => {
  expect(() => authorise(key('admin'), 'read', { workspaceId: 2 })).toThrow('Invalid API key or access token');
  expect(() => authorise(sandbox, 'read', { workspaceId: 1, family: 'sandbox', entityId: 'x' })).toThrow(
    'Invalid API key or access token',
  );
});
