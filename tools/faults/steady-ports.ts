import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ephemeral range of Linux: a client that reconnects while the process is down would otherwise be given its port
 * as a source port, now and then, and the process could not come back.
 */
const PORTS = { first: 15_000, last: 31_999 };
const ATTEMPTS = 100;

/** Ports for the one process, which comes back where it was, as it does for its users. */
export async function steadyPorts(): Promise<Record<string, string>> {
  const ports = new Set<number>();
  for (let attempt = 0; attempt < ATTEMPTS && ports.size < 3; attempt++) {
    const port = PORTS.first + Math.floor(Math.random() * (PORTS.last - PORTS.first + 1));
    if (await isFree(port)) ports.add(port);
  }
  const [http, pubsub, gateway] = [...ports].map(String);
  if (http === undefined || pubsub === undefined || gateway === undefined) throw new Error('there are no free ports');
  return { SLUICE_HTTP_PORT: http, SLUICE_PUBSUB_PORT: pubsub, SLUICE_GATEWAY_PORT: gateway };
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen({ host: '127.0.0.1', port, exclusive: true });
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
