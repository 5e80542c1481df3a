/**
 * Which app serves which path, as data: the local cluster's proxy and the Ingress are made from this one table.
 *
 * The words are those of a Kubernetes Ingress: `Exact` is the whole path, `Prefix` is a path and everything below it,
 * by whole segments. The longest match wins, and `Exact` before `Prefix` where both are as long.
 *
 * @typedef {{ readonly path: string, readonly pathType: 'Exact' | 'Prefix', readonly app: string }} Route
 * @type {readonly Route[]}
 */
export const ROUTES = [
  { path: '/events', pathType: 'Exact', app: 'ingest' },
  { path: '/events', pathType: 'Prefix', app: 'query' },
  { path: '/v1/registry/events', pathType: 'Exact', app: 'ingest' },
  { path: '/v1/events', pathType: 'Prefix', app: 'query' },
  { path: '/v1/entities', pathType: 'Prefix', app: 'query' },
  { path: '/v1/sandboxes', pathType: 'Prefix', app: 'query' },
  { path: '/v1/stats', pathType: 'Prefix', app: 'query' },
  { path: '/v1/admin', pathType: 'Prefix', app: 'query' },
  { path: '/v1/admin/rebuild', pathType: 'Prefix', app: 'projector' },
  { path: '/v1/admin/erasures', pathType: 'Prefix', app: 'projector' },
  { path: '/v1/admin/retention', pathType: 'Exact', app: 'projector' },
  { path: '/v1/chains', pathType: 'Prefix', app: 'registry-watcher' },
  { path: '/v1/stream', pathType: 'Exact', app: 'sse-stream' },
  { path: '/v1/stream-tokens', pathType: 'Exact', app: 'sse-stream' },
  { path: '/v1/socket', pathType: 'Exact', app: 'sse-stream' },
  { path: '/api/v1/events', pathType: 'Prefix', app: 'sse-stream' },
  { path: '/api/v1/agents', pathType: 'Prefix', app: 'query' },
  { path: '/api/events', pathType: 'Exact', app: 'sse-stream' },
  { path: '/ws', pathType: 'Exact', app: 'sse-stream' },
  { path: '/api/tasks', pathType: 'Prefix', app: 'workspace' },
  { path: '/api/sessions', pathType: 'Prefix', app: 'workspace' },
  { path: '/api/agents', pathType: 'Prefix', app: 'workspace' },
  { path: '/api/group-chats', pathType: 'Prefix', app: 'workspace' },
  { path: '/api/cron', pathType: 'Prefix', app: 'workspace' },
  { path: '/v1/sessions', pathType: 'Prefix', app: 'sessions' },
  { path: '/v1/agents', pathType: 'Prefix', app: 'sessions' },
  { path: '/v1/environments', pathType: 'Prefix', app: 'sessions' },
  { path: '/v1/files', pathType: 'Prefix', app: 'sessions' },
  { path: '/v1/vaults', pathType: 'Prefix', app: 'sessions' },
  { path: '/runtime/v1', pathType: 'Prefix', app: 'sessions' },
  { path: '/v1/webhooks', pathType: 'Prefix', app: 'webhooks' },
  { path: '/v1/webhook-deliveries', pathType: 'Prefix', app: 'query' },
  { path: '/openapi.json', pathType: 'Exact', app: 'query' },
  { path: '/asyncapi.json', pathType: 'Exact', app: 'query' },
];

/**
 * The route of a request's path, or undefined where no app serves it.
 *
 * @param {string} path without the query
 * @param {readonly Route[]} [routes]
 */
export function findRoute(path, routes = ROUTES) {
  const wanted = segmentsOf(path);
  let best;
  for (const route of routes) {
    const own = segmentsOf(route.path);
    const isExact = route.pathType === 'Exact';
    if (isExact ? own.length !== wanted.length : own.length > wanted.length) continue;
    if (own.some((segment, index) => segment !== wanted[index])) continue;
    const rank = own.length * 2 + (isExact ? 1 : 0);
    if (best === undefined || rank > best.rank) best = { rank, route };
  }
  return best?.route;
}

/** Doubled and trailing slashes make no difference, as in the usual ingress controllers. */
function segmentsOf(path) {
  return path.split('/').filter((segment) => segment !== '');
}
