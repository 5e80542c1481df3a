import { once } from 'node:events';
import { createServer, Agent } from 'node:http';
import { createProxyServer } from 'httpxy';
import { findRoute } from './routes.mjs';

/** Streams hold a connection each, on either side; further callers are turned away at the door, not left waiting inside. */
const MAX_CONNECTIONS = 20_000;
const IDLE_UPSTREAM_CONNECTIONS = 256;
const READY_CHECK_TIMEOUT_MS = 5_000;

/**
 * One address in front of all apps, by the route table: what an Ingress does in a real cluster.
 * `/health` is its own; `/ready` is 200 when every app is ready.
 *
 * @param {{ host: string, port: number, urlOf: (app: string) => string | undefined, apps: readonly string[] }} options
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function startProxy({ host, port, urlOf, apps }) {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE_UPSTREAM_CONNECTIONS });
  const proxy = createProxyServer({ xfwd: true, agent });
  proxy.on('error', (error, _request, response) => refuse(response, error));

  const server = createServer((request, response) => {
    const [path] = (request.url ?? '/').split('?', 1);
    if (path === '/health') return answer(response, 200, { status: 'ok' });
    if (path === '/ready') return void readiness(apps, urlOf).then(([status, body]) => answer(response, status, body));
    const route = findRoute(path);
    if (!route) {
      return answer(response, 404, { success: false, error: 'No app serves this path', code: 'not_found' });
    }
    const target = urlOf(route.app);
    if (target === undefined) return refuse(response, new Error('it is not started yet'));
    return void proxy.web(request, response, { target });
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('upgrade', (request, socket, head) => {
    // A caller that goes away while it is answered is no fault of the cluster.
    socket.on('error', () => socket.destroy());
    const route = findRoute((request.url ?? '/').split('?', 1)[0]);
    const target = route && urlOf(route.app);
    if (target === undefined) return socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
    return void proxy.ws(request, socket, { target }, head);
  });
  server.listen(port, host);
  await once(server, 'listening').catch((error) => {
    throw new Error(error.code === 'EADDRINUSE' ? `port ${port} is taken (SLUICE_HTTP_PORT moves it)` : error.message);
  });
  return {
    url: `http://${host}:${server.address().port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

/** The app is away: nothing of the request was stored that was not acknowledged, so the caller may repeat it. */
function refuse(response, error) {
  if (!('writeHead' in response) || response.headersSent) {
    response.destroy();
    return;
  }
  response.setHeader('retry-after', '1');
  const message = `The app cannot be reached: ${error.code ?? error.message}`;
  answer(response, 503, { success: false, error: message, code: 'app_unavailable' });
}

async function readiness(apps, urlOf) {
  const states = await Promise.all(
    apps.map(async (app) => {
      const isReady = await fetch(`${urlOf(app)}/ready`, { signal: AbortSignal.timeout(READY_CHECK_TIMEOUT_MS) }).then(
        ({ ok }) => ok,
        () => false,
      );
      return [app, isReady ? 'ready' : 'not ready'];
    }),
  );
  const isReady = states.every(([, state]) => state === 'ready');
  return [isReady ? 200 : 503, { status: isReady ? 'ready' : 'not ready', apps: Object.fromEntries(states) }];
}
