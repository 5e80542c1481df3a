import type { DescribedOperation } from './described-process';

/** Parsed JSON, which tests may look into. */
type Json = ReturnType<typeof JSON.parse>;

/** The workspace of the world, and another one. */
export const WORKSPACE_ID = 1;
export const FOREIGN_WORKSPACE_ID = 2;
export const SANDBOX_ID = 'sandbox-123';

/** What an operation is called with; valid, so that nothing but the caller decides. */
export interface OperationRequest {
  readonly path: string;
  /** Where the operation takes the workspace by query. */
  readonly query: string;
  readonly body?: Json;
}

/** Whether the request itself says which workspace it means. */
export const namesWorkspace = ({ query, body }: OperationRequest): boolean =>
  query !== '' || body?.workspaceId !== undefined || body?.[0]?.workspaceId !== undefined;

type Post = (path: string, body: Json) => Promise<Json>;

/** One of each thing that has an id, in the workspace of whoever posts. */
export async function makeWorld(post: Post): Promise<World> {
  const { data: event } = await post('/events', { type: 'execution.completed', sandboxId: SANDBOX_ID, data: { n: 1 } });
  const task = await post('/api/tasks', { title: 'A task' });
  const job = await post('/api/cron', { name: 'Nightly', job_type: 'agent', message: 'hello', every: 86_400 });
  const agentSession = await post('/api/sessions', {});
  const { group_chat: chat } = await post('/api/group-chats', { name: 'Team', created_by: 'ann', workspace_path: '/' });
  await post(`/api/group-chats/${chat.id}/members`, { type: 'human', member_id: 'bob', display_name: 'Bob' });
  const chatSession = await post(`/api/group-chats/${chat.id}/sessions`, {});
  const agent = await post('/v1/agents', { name: 'An agent', model: 'a-model' });
  const environment = await post('/v1/environments', { name: 'Here' });
  const form = new FormData();
  form.append('file', new Blob(['what is in it'], { type: 'text/plain' }), 'note.txt');
  const file = await post('/v1/files', form);
  const vault = await post('/v1/vaults', { display_name: 'Keys' });
  const credential = await post(`/v1/vaults/${vault.id}/credentials`, CREDENTIAL);
  const session = await post('/v1/sessions', { agent: agent.id, environment_id: environment.id });
  const threads = await post(`/v1/sessions/${session.id}/events`, { events: [SAID] }).then(() =>
    post(`GET /v1/sessions/${session.id}/threads`, undefined),
  );
  const resource = await post(`/v1/sessions/${session.id}/resources`, REPOSITORY);
  const engine = await post('/runtime/v1/engines', { name: 'An engine', url: 'https://engine.example/runs' });
  const { endpointId } = await post('/v1/webhooks', { url: 'https://hooks.example/in' });
  const { keyId } = await post('/v1/admin/keys', { role: 'reader', name: 'spare' });
  const shared = {
    sandboxId: SANDBOX_ID,
    eventId: event.eventId,
    environmentId: environment.id,
    fileId: file.id,
    vaultId: vault.id,
    credentialId: credential.id,
    threadId: threads.data[0].id,
    resourceId: resource.id,
    engineId: engine.id ?? engine.engineId,
    endpointId,
    keyId,
    memberId: 'bob',
    runId: `srun_${'0'.repeat(24)}`,
    chainId: '1',
    erasureId: '1',
  };
  return {
    idsOf: (path) => ({ ...shared, ...ambiguousIds(path) }),
    created: { agentId: agent.id, environmentId: environment.id },
  };

  /** Names that mean another thing at each door. */
  function ambiguousIds(path: string): Readonly<Record<string, string>> {
    if (path.startsWith('/api/tasks')) return { id: task.id };
    if (path.startsWith('/api/cron')) return { id: job.id };
    if (path.startsWith('/api/group-chats')) return { id: chat.id, sessionId: chatSession.id };
    if (path.startsWith('/api/sessions')) return { id: agentSession.id };
    if (path.startsWith('/api/agents')) return { id: 'CLAUDE_CODE' };
    if (path.startsWith('/api/v1/agents')) return { agentId: '1:1' };
    return { agentId: agent.id, sessionId: session.id };
  }
}

export interface World {
  /** The ids of a path, by the names of its parameters. */
  idsOf(path: string): Readonly<Record<string, string>>;
  readonly created: { readonly agentId: string; readonly environmentId: string };
}

/** An id of the same form that was never given out. */
export const absent = (id: string): string => {
  const last = id.search(/[0-9a-f](?=[^0-9a-f]*$)/i);
  return `${id.slice(0, last)}${id[last] === '0' ? '1' : '0'}${id.slice(last + 1)}`;
};

/** @throws Error for a parameter of a path that nobody gives a value */
export function requestOf(
  operation: Pick<DescribedOperation, 'method' | 'path' | 'parameters' | 'requestBody'>,
  world: World,
  change: (id: string) => string = (id) => id,
): OperationRequest {
  const { method, path, parameters = [] } = operation;
  const ids = world.idsOf(path);
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const id = ids[name];
    if (id === undefined) throw new Error(`${method} ${path}: give ${name} a value in access-world.ts`);
    return encodeURIComponent(change(id));
  });
  const takesWorkspace = parameters.some((each) => each.in === 'query' && each.name === 'workspaceId');
  const query = takesWorkspace ? `?workspaceId=${WORKSPACE_ID}` : '';
  if (operation.requestBody === undefined) return { path: filled, query };
  const body = bodyOf(`${method} ${path}`, world);
  return { path: filled, query, body };
}

const SAID = { type: 'user.message', content: [{ type: 'text', text: 'hello' }] };
const CREDENTIAL = {
  display_name: 'A server',
  auth: { type: 'static_bearer', token: 'no-secret', mcp_server_url: 'https://mcp.example/' },
};
const REPOSITORY = {
  type: 'github_repository',
  url: 'https://github.com/example/thing',
  authorization_token: 'no-secret',
};
const REGISTRY_EVENT = { type: 'agent_updated', data: { agentId: '1:1', chainId: 1, changes: ['name'] } };

/** @throws Error for an operation with a body that has none here */
function bodyOf(operation: string, { created }: World): Json {
  const workspaceId = WORKSPACE_ID;
  const bodies: Readonly<Record<string, () => Json>> = {
    'POST /events': () => ({ type: 'execution.completed', sandboxId: SANDBOX_ID, workspaceId, data: {} }),
    'POST /v1/registry/events': () => REGISTRY_EVENT,
    'POST /v1/stream-tokens': () => ({ scope: {}, workspaceId }),
    'POST /v1/admin/keys': () => ({ role: 'reader', name: 'another', workspaceId }),
    'POST /v1/admin/tokens': () => ({ sandboxId: SANDBOX_ID, workspaceId }),
    'POST /v1/admin/parked/replay': () => ({ parkedIds: [1], workspaceId }),
    'POST /v1/admin/rebuild': () => ({ dropOld: true }),
    'POST /v1/admin/erasures': () => ({ workspaceId, family: 'sandbox', entityId: 'nothing-is-known-of-it' }),
    'PUT /v1/admin/retention': () => ({ family: 'session', maxAgeSeconds: 86_400 }),
    'POST /api/agents/{id}/spawn': () => ({ prompt: 'hello', workdir: '/work' }),
    'POST /api/agents/{id}/stop': () => ({ session_id: 'none' }),
    'POST /api/cron': () => ({ name: 'Weekly', job_type: 'agent', message: 'hello', every: 604_800 }),
    'PATCH /api/cron/{id}': () => ({ name: 'Daily' }),
    'POST /api/group-chats': () => ({ name: 'Another', created_by: 'ann', workspace_path: '/' }),
    'PATCH /api/group-chats/{id}': () => ({ name: 'The team' }),
    'POST /api/group-chats/{id}/members': () => ({ type: 'human', member_id: 'eve', display_name: 'Eve' }),
    'POST /api/group-chats/{id}/sessions': () => ({}),
    'POST /api/group-chats/{id}/sessions/{sessionId}/messages': () => ({
      content: 'hello',
      sender_id: 'ann',
      sender_name: 'Ann',
    }),
    'POST /api/sessions': () => ({}),
    'PATCH /api/sessions/{id}': () => ({ title: 'Mine' }),
    'POST /api/sessions/{id}/message': () => ({ content: 'hello' }),
    'POST /api/tasks': () => ({ title: 'Another' }),
    'PUT /api/tasks/{id}': () => ({ title: 'Newer' }),
    'PATCH /api/tasks/{id}': () => ({ status: 'in_progress' }),
    'POST /runtime/v1/engines': () => ({ name: 'Another', url: 'https://engine.example/other' }),
    'POST /runtime/v1/sessions/{sessionId}/runs/{runId}/events': () => ({ events: [] }),
    'POST /v1/agents': () => ({ name: 'Another', model: 'a-model' }),
    'POST /v1/agents/{agentId}': () => ({ version: 1, name: 'Renamed' }),
    'POST /v1/environments': () => ({ name: `There ${crypto.randomUUID()}` }),
    'POST /v1/environments/{environmentId}': () => ({ description: 'Where we are' }),
    'POST /v1/files': () => {
      const form = new FormData();
      form.append('file', new Blob(['x'], { type: 'text/plain' }), 'x.txt');
      return form;
    },
    'POST /v1/sessions': () => ({ agent: created.agentId, environment_id: created.environmentId }),
    'POST /v1/sessions/{sessionId}': () => ({ title: 'A talk' }),
    'POST /v1/sessions/{sessionId}/events': () => ({ events: [SAID] }),
    'POST /v1/sessions/{sessionId}/resources': () => ({ ...REPOSITORY, url: 'https://github.com/example/other' }),
    'POST /v1/sessions/{sessionId}/resources/{resourceId}': () => ({ authorization_token: 'another-one' }),
    'POST /v1/vaults': () => ({ display_name: 'Other keys' }),
    'POST /v1/vaults/{vaultId}': () => ({ display_name: 'The keys' }),
    'POST /v1/vaults/{vaultId}/credentials': () => ({
      ...CREDENTIAL,
      auth: { ...CREDENTIAL.auth, mcp_server_url: 'https://other.example/' },
    }),
    'POST /v1/vaults/{vaultId}/credentials/{credentialId}': () => ({ display_name: 'The server' }),
    'POST /v1/webhooks': () => ({ url: 'https://hooks.example/other' }),
    'PATCH /v1/webhooks/{endpointId}': () => ({ enabled: false }),
    'POST /v1/webhooks/{endpointId}/dead-letters/replay': () => ({ all: true }),
    'POST /v1/webhooks/{endpointId}/redeliver': () => ({ eventIds: ['01a200f5-a748-7564-8a29-001f52e881cf'] }),
  };
  const make = bodies[operation];
  if (make === undefined) throw new Error(`${operation}: give it a body in access-world.ts`);
  return make();
}
