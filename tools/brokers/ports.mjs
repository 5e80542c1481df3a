import { createServer } from 'node:net';

// Below the ephemeral range of Linux and macOS: a client that reconnects while its broker is down can otherwise
// be given the broker's own port as its source port, and then the broker cannot come back.
const FIRST_PORT = 15_000;
const LAST_PORT = 31_999;
const ATTEMPTS = 100;

/** @returns {Promise<number>} a port that is free on 127.0.0.1 at this moment */
export async function freePort() {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${FIRST_PORT} and ${LAST_PORT} in ${ATTEMPTS} tries`);
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
