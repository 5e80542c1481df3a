import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { FileErrorCode, FileReading } from '@sluice/agent-registry';
import { parsePrivateAllowList } from '@sluice/safe-fetch';
import {
  createRegistrationFileReader,
  type RegistrationFileReader,
  type RegistrationFileReaderOptions,
} from '../../src/files/registration-file-reader';

export const V0 = 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPG7X';
export const MIB = 1_048_576;
export const NOW = 1_700_000_000_000;
export const FILE = JSON.stringify({ name: 'Ann', services: [{ name: 'MCP', endpoint: 'https://ann.test/mcp' }] });

export const servers: { readonly server: Server; readonly sockets: Set<Socket> }[] = [];

export async function listen(server: Server): Promise<{ origin: string; connections: () => number }> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push({ server, sockets });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections };
}

export const serve = (listener: RequestListener) => listen(createServer(listener));

/** Ends all servers of the test. */
export async function closeServers(): Promise<void> {
  for (const { server, sockets } of servers.splice(0)) {
    sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => server.close(resolve));
  }
}

export function readerOf(
  origins: readonly string[],
  options: Partial<RegistrationFileReaderOptions> = {},
): RegistrationFileReader {
  return createRegistrationFileReader({
    timeoutMs: 20_000,
    maxBytes: MIB,
    ipfsGateways: [],
    allowPrivate: parsePrivateAllowList(origins),
    userAgent: 'sluice-test',
    now: () => NOW,
    onUnexpectedError: (error) => {
      throw error;
    },
    ...options,
  });
}

export const never = new AbortController().signal;

export function failure(code: FileErrorCode, retryable: boolean): object {
  return { status: 'failed', error: { code, message: expect.any(String) }, retryable, readAt: NOW };
}

export async function read(reader: RegistrationFileReader, uri: string): Promise<FileReading> {
  const reading = await reader.read(uri, never);
  expect(reading.uri).toBe(uri);
  return reading;
}

/** Sends until nobody listens. */
export function pour(response: ServerResponse, text: string): void {
  const more = (): void => {
    while (!response.destroyed && response.write(text));
  };
  response.on('drain', more);
  more();
}
