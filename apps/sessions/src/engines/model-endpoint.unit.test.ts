import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ModelFailed } from './model-answer';
import { ModelEndpoint } from './model-endpoint';

const LISTENER = { onThinking: () => undefined, onText: () => undefined };

it.each<[number, string, string]>([
  [400, 'invalid_request_error', ': why'],
  [413, 'request_too_large', ': why'],
  [429, 'rate_limit_error', ': why'],
  [401, 'authentication_error', ''],
  [403, 'permission_error', ''],
  [402, 'billing_error', ''],
  [500, 'api_error', ''],
  [529, 'overloaded_error', ''],
])(
  'shows of an answer %i its status, and words only that are for the caller; all of it is logged',
  async (status, type, shown) => {
    const server = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ type: 'error', error: { type, message: 'why' } }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const logged: ModelFailed[] = [];
    const options = { url: `http://127.0.0.1:${port}`, key: undefined, timeoutMs: 5_000 };
    const endpoint = new ModelEndpoint(options, (failure) => logged.push(failure));
    const failure: unknown = await endpoint
      .ask({}, new AbortController().signal, LISTENER)
      .catch((error: unknown) => error);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(failure).toBeInstanceOf(ModelFailed);
    expect(failure).toMatchObject({ message: `The model answered with status ${status}${shown}`, said: 'why' });
    expect(logged).toEqual([failure]);
  },
);
