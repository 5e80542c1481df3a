import { EVENT_FAMILIES } from '@sluice/event-schema';
import { SluiceError } from '@sluice/event-log';
import { authorise, type Resource } from './authorise';
import type { Principal } from './principal';
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
      expect(verdict(key(role), action, resource)).toBe(ALLOWED[role].includes(action) ? 'allowed' : 'forbidden');
    }
  });

  it.each(matrix(WORKSPACE_ROLES, ACTIONS))('%s, %s in a foreign workspace: unauthorized', (role, action) => {
    for (const resource of OWN_RESOURCES) {
      for (const workspaceId of [0, 2, NaN]) {
        expect(verdict(key(role), action, { ...resource, workspaceId })).toBe('unauthorized');
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

it('words what is foreign as a bad credential', () => {
  expect(() => authorise(key('admin'), 'read', { workspaceId: 2 })).toThrow('Invalid API key or access token');
  expect(() => authorise(sandbox, 'read', { workspaceId: 1, family: 'sandbox', entityId: 'x' })).toThrow(
    'Invalid API key or access token',
  );
});
