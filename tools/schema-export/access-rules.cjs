// Who may call what: the one table that the access matrix is tested by and the page docs/reference/access.md is made of.
// CommonJS, so that the exporter and the tests share it. A test fails while an operation has no line here, or a line no operation.

/** Callers whose credential is good, in the order of the page. */
const CALLERS = {
  reader: 'key `reader`',
  writer: 'key `writer`',
  admin: 'key `admin`',
  operator: 'key `operator`',
  foreign: 'key of another workspace',
  sandbox: 'token of the sandbox',
  otherSandbox: 'token of another sandbox',
  stream: 'stream token',
};

const KEYS = { reader: 'in', writer: 'in', admin: 'in', operator: 'in' };

/**
 * What an operation asks of its caller, and what each caller gets: `in`, 401 (the answer to a credential that is not known)
 * or 403. `foreign` is what an admin of another workspace gets who names this one, where a workspace can be named.
 */
const RIGHTS = {
  anyone: {
    text: 'nothing: open to everybody',
    outcomes: { ...KEYS, foreign: 'in', sandbox: 'in', otherSandbox: 'in', stream: 'in' },
  },
  read: {
    text: 'to read in the workspace',
    outcomes: { ...KEYS, foreign: 401, sandbox: 403, otherSandbox: 403, stream: 401 },
  },
  readOwn: {
    text: 'to read what it names: what the caller may not see does not exist',
    outcomes: { ...KEYS, foreign: 'in', sandbox: 'in', otherSandbox: 'in', stream: 401 },
  },
  append: {
    text: 'to write in the workspace',
    outcomes: { ...KEYS, reader: 403, foreign: 401, sandbox: 403, otherSandbox: 403, stream: 401 },
  },
  administer: {
    text: 'to administer the workspace',
    outcomes: { ...KEYS, reader: 403, writer: 403, foreign: 401, sandbox: 403, otherSandbox: 403, stream: 401 },
  },
  operate: {
    text: 'to operate the platform',
    outcomes: {
      reader: 403,
      writer: 403,
      admin: 403,
      operator: 'in',
      foreign: 403,
      sandbox: 403,
      otherSandbox: 403,
      stream: 401,
    },
  },
  readSandbox: {
    text: 'to read the events of the sandbox',
    outcomes: { ...KEYS, foreign: 401, sandbox: 'in', otherSandbox: 401, stream: 401 },
  },
  appendSandbox: {
    text: 'to write events of the sandbox',
    outcomes: { ...KEYS, reader: 403, foreign: 401, sandbox: 'in', otherSandbox: 401, stream: 401 },
  },
  readRegistry: {
    text: 'to read what is public of registries: any key',
    outcomes: { ...KEYS, foreign: 'in', sandbox: 401, otherSandbox: 401, stream: 401 },
  },
  streamRegistry: {
    text: 'to stream what is public of registries: any key, or a stream token of one',
    outcomes: { ...KEYS, foreign: 'in', sandbox: 401, otherSandbox: 401, stream: 'in' },
  },
  askStreams: {
    text: 'a good credential of whatever kind',
    outcomes: { ...KEYS, foreign: 'in', sandbox: 'in', otherSandbox: 'in', stream: 'in' },
  },
  stream: {
    text: 'to stream in the workspace',
    outcomes: { ...KEYS, foreign: 401, sandbox: 403, otherSandbox: 403, stream: 'in' },
  },
  streamAny: {
    text: 'to stream; what is streamed is narrowed to what the credential may see',
    outcomes: { ...KEYS, foreign: 401, sandbox: 'in', otherSandbox: 'in', stream: 'in' },
  },
  socket: {
    text: 'a credential that may stream; each subscription on the socket asks for itself',
    outcomes: { ...KEYS, foreign: 'in', sandbox: 'in', otherSandbox: 'in', stream: 'in' },
  },
  mintStreamToken: {
    text: 'to be the key itself: no token makes a token',
    outcomes: { ...KEYS, foreign: 401, sandbox: 403, otherSandbox: 403, stream: 401 },
  },
  signature: {
    text: 'the signature of the run: no key and no token stands for it',
    outcomes: {
      reader: 401,
      writer: 401,
      admin: 401,
      operator: 401,
      foreign: 401,
      sandbox: 401,
      otherSandbox: 401,
      stream: 401,
    },
  },
};

/** What each operation asks for. */
const OPERATIONS = {
  anyone: ['GET /health', 'GET /ready', 'GET /metrics', 'GET /openapi.json', 'GET /asyncapi.json'],
  read: [
    'GET /api/agents',
    'GET /api/cron',
    'GET /api/cron/{id}',
    'GET /api/group-chats',
    'GET /api/group-chats/{id}',
    'GET /api/group-chats/{id}/members',
    'GET /api/group-chats/{id}/sessions',
    'GET /api/group-chats/{id}/sessions/{sessionId}/messages',
    'GET /api/sessions',
    'GET /api/sessions/{id}',
    'GET /api/sessions/{id}/messages',
    'GET /api/tasks',
    'GET /api/tasks/{id}',
    'GET /runtime/v1/engines',
    'GET /runtime/v1/engines/{engineId}',
    'GET /v1/agents',
    'GET /v1/agents/{agentId}',
    'GET /v1/agents/{agentId}/versions',
    'GET /v1/entities',
    'GET /v1/environments',
    'GET /v1/environments/{environmentId}',
    'GET /v1/events',
    'GET /v1/files',
    'GET /v1/files/{fileId}',
    'GET /v1/files/{fileId}/content',
    'GET /v1/sessions',
    'GET /v1/sessions/{sessionId}',
    'GET /v1/sessions/{sessionId}/events',
    'GET /v1/sessions/{sessionId}/events/stream',
    'GET /v1/sessions/{sessionId}/resources',
    'GET /v1/sessions/{sessionId}/resources/{resourceId}',
    'GET /v1/sessions/{sessionId}/threads',
    'GET /v1/sessions/{sessionId}/threads/{threadId}',
    'GET /v1/sessions/{sessionId}/threads/{threadId}/events',
    'GET /v1/sessions/{sessionId}/threads/{threadId}/stream',
    'GET /v1/stats',
    'GET /v1/vaults',
    'GET /v1/vaults/{vaultId}',
    'GET /v1/vaults/{vaultId}/credentials',
    'GET /v1/vaults/{vaultId}/credentials/{credentialId}',
    'GET /v1/webhook-deliveries/{endpointId}',
    'GET /v1/webhooks',
    'GET /v1/webhooks/{endpointId}',
    'GET /v1/webhooks/{endpointId}/dead-letters',
  ],
  readOwn: ['GET /v1/events/{eventId}'],
  append: [
    'POST /api/agents/{id}/spawn',
    'POST /api/agents/{id}/stop',
    'POST /api/cron',
    'PATCH /api/cron/{id}',
    'DELETE /api/cron/{id}',
    'POST /api/cron/{id}/disable',
    'POST /api/cron/{id}/enable',
    'POST /api/cron/{id}/run',
    'POST /api/group-chats',
    'PATCH /api/group-chats/{id}',
    'DELETE /api/group-chats/{id}',
    'POST /api/group-chats/{id}/members',
    'DELETE /api/group-chats/{id}/members/{memberId}',
    'POST /api/group-chats/{id}/sessions',
    'POST /api/group-chats/{id}/sessions/{sessionId}/messages',
    'POST /api/sessions',
    'PATCH /api/sessions/{id}',
    'DELETE /api/sessions/{id}',
    'POST /api/sessions/{id}/message',
    'POST /api/tasks',
    'PUT /api/tasks/{id}',
    'PATCH /api/tasks/{id}',
    'DELETE /api/tasks/{id}',
    'POST /runtime/v1/engines',
    'DELETE /runtime/v1/engines/{engineId}',
    'POST /v1/agents',
    'POST /v1/agents/{agentId}',
    'POST /v1/agents/{agentId}/archive',
    'POST /v1/environments',
    'POST /v1/environments/{environmentId}',
    'DELETE /v1/environments/{environmentId}',
    'POST /v1/environments/{environmentId}/archive',
    'POST /v1/files',
    'DELETE /v1/files/{fileId}',
    'POST /v1/sessions',
    'POST /v1/sessions/{sessionId}',
    'DELETE /v1/sessions/{sessionId}',
    'POST /v1/sessions/{sessionId}/archive',
    'POST /v1/sessions/{sessionId}/events',
    'POST /v1/sessions/{sessionId}/resources',
    'POST /v1/sessions/{sessionId}/resources/{resourceId}',
    'DELETE /v1/sessions/{sessionId}/resources/{resourceId}',
    'POST /v1/sessions/{sessionId}/threads/{threadId}/archive',
    'POST /v1/vaults',
    'POST /v1/vaults/{vaultId}',
    'DELETE /v1/vaults/{vaultId}',
    'POST /v1/vaults/{vaultId}/archive',
    'POST /v1/vaults/{vaultId}/credentials',
    'POST /v1/vaults/{vaultId}/credentials/{credentialId}',
    'DELETE /v1/vaults/{vaultId}/credentials/{credentialId}',
    'POST /v1/vaults/{vaultId}/credentials/{credentialId}/archive',
    'POST /v1/webhooks',
    'PATCH /v1/webhooks/{endpointId}',
    'DELETE /v1/webhooks/{endpointId}',
    'POST /v1/webhooks/{endpointId}/dead-letters/replay',
    'DELETE /v1/webhooks/{endpointId}/dead-letters/replay',
    'POST /v1/webhooks/{endpointId}/redeliver',
    'POST /v1/webhooks/{endpointId}/retry',
    'POST /v1/webhooks/{endpointId}/rotate-secret',
    'POST /v1/webhooks/{endpointId}/skip',
    'POST /v1/webhooks/{endpointId}/test',
  ],
  administer: [
    'GET /v1/admin/keys',
    'POST /v1/admin/keys',
    'DELETE /v1/admin/keys/{keyId}',
    'POST /v1/admin/tokens',
    'GET /v1/admin/parked',
    'POST /v1/admin/parked/replay',
  ],
  operate: [
    'GET /v1/admin/lag',
    'POST /v1/admin/erasures',
    'GET /v1/admin/erasures',
    'GET /v1/admin/erasures/{erasureId}',
    'DELETE /v1/admin/erasures/{erasureId}',
    'POST /v1/admin/rebuild',
    'GET /v1/admin/rebuild',
    'DELETE /v1/admin/rebuild',
    'DELETE /v1/admin/rebuild/old',
    'GET /v1/admin/retention',
    'PUT /v1/admin/retention',
    'DELETE /v1/admin/retention',
    'POST /v1/chains/{chainId}/accept-reorg',
    'POST /v1/registry/events',
  ],
  readSandbox: ['GET /events/{sandboxId}', 'GET /v1/sandboxes/{sandboxId}'],
  appendSandbox: ['POST /events'],
  readRegistry: [
    'GET /api/v1/agents',
    'GET /api/v1/agents/{agentId}',
    'GET /api/v1/agents/{agentId}/events',
    'GET /api/v1/agents/{agentId}/feedback',
    'GET /v1/chains',
    'GET /v1/chains/{chainId}',
  ],
  streamRegistry: ['GET /api/v1/events', 'HEAD /api/v1/events'],
  askStreams: ['GET /api/v1/events/info'],
  stream: ['GET /api/events', 'GET /ws'],
  streamAny: ['GET /v1/stream'],
  socket: ['GET /v1/socket'],
  mintStreamToken: ['POST /v1/stream-tokens'],
  signature: ['POST /runtime/v1/sessions/{sessionId}/runs/{runId}/events'],
};

/** The right that an operation asks for, by `METHOD /path`. */
const rightOf = new Map(Object.entries(OPERATIONS).flatMap(([right, each]) => each.map((name) => [name, right])));

const cell = (outcome) => (outcome === 'in' ? '✓' : String(outcome));
const row = (cells) => `| ${cells.join(' | ')} |`;

/** The page, in Markdown that is not formatted yet. */
function accessPage() {
  const callers = Object.keys(CALLERS);
  const outcomes = Object.values(RIGHTS).map(({ text, outcomes: each }) =>
    row([text, ...callers.map((caller) => cell(each[caller]))]),
  );
  const lists = Object.entries(RIGHTS).map(([right, { text }]) => {
    const names = [...OPERATIONS[right]].sort((a, b) => (a.split(' ')[1] < b.split(' ')[1] ? -1 : 1));
    return [`### ${text.charAt(0).toUpperCase()}${text.slice(1)}`, '', ...names.map((name) => `- \`${name}\``)].join(
      '\n',
    );
  });
  return [
    '# Who may call what',
    '',
    'Generated from `tools/schema-export/access-rules.cjs` (`npm run schemas`). Tests call every operation as every caller below,',
    'and fail while an operation has no line here.',
    '',
    'Refused before any right is asked for, by every operation that is not open to everybody, with 401: no credential; a key that is',
    'malformed, unknown, revoked or over; a token that is forged or over (`token_expired` where the door has that code); a key in',
    'the address. A stream token in the address (`?token=`) counts where stream tokens do. `X-API-Key` goes before `Authorization`',
    'where both are sent, so a bad key is refused whatever stands beside it.',
    '',
    'What belongs to another workspace, when it is named by its own id, is answered word by word as what does not exist; when the',
    'workspace is named, as a credential that is not known (G8).',
    '',
    '✓ is let in: what is answered then is up to the request. 401 and 403 are exact.',
    '',
    '## By right',
    '',
    row(['the operation asks for', ...Object.values(CALLERS)]),
    row(['---', ...callers.map(() => '---')]),
    ...outcomes,
    '',
    'A callback of a run, which asks for a signature, is answered 401 to all of them. A stream token sees what its scope says.',
    '',
    '## By operation',
    '',
    ...lists.flatMap((list) => [list, '']),
    '## TCP',
    '',
    'A subscription asks for the right to stream the events of the sandbox, or, with a pattern, of all sandboxes of the workspace. Stream',
    "tokens, and operators' keys, which belong to no workspace, are refused.",
    '',
  ].join('\n');
}

module.exports = { CALLERS, RIGHTS, OPERATIONS, rightOf, accessPage };
