import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** Ports for the one process, which comes back where it was, as it does for its users. */
export async function steadyPorts(): Promise<Record<string, string>> {
  return {
    SLUICE_HTTP_PORT: String(await freePort()),
    SLUICE_PUBSUB_PORT: String(await freePort()),
    SLUICE_GATEWAY_PORT: String(await freePort()),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
