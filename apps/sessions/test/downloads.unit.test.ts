import { connect, type Socket } from 'node:net';
import { startSessions, type SdkSessions } from './support/sdk-sessions';
import { until } from './support/sessions-app';

let service: SdkSessions;
beforeAll(async () => {
  service = await startSessions({ SLUICE_KEY_CONNECTIONS: '2' });
});
afterAll(() => service.stop());

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** More than a connection holds that nobody reads. */
const SIZE_BYTES = 48 * 1024 * 1024;

async function upload(bytes: number): Promise<string> {
  const form = new FormData();
  form.append('file', new File([Buffer.alloc(bytes)], 'f.bin'));
  return (await service.request('POST', '/v1/files', form)).body.id as string;
}

/** A download that begins, and of which nothing more is read. */
async function standing(id: string): Promise<Socket> {
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  socket.on('error', () => undefined);
  socket.write(`GET /v1/files/${id}/content HTTP/1.1\r\nhost: x\r\nx-api-key: ${service.apiKey}\r\n\r\n`);
  await new Promise<void>((resolve) =>
    socket.once('data', () => {
      socket.pause();
      resolve();
    }),
  );
  return socket;
}

it('counts downloads under way with the connections of their caller', async () => {
  const [large, small] = [await upload(SIZE_BYTES), await upload(10)];
  const first = await standing(large);
  await standing(large);
  const refused = await service.request('GET', `/v1/files/${small}/content`);
  expect({ status: refused.status, type: refused.body?.error.type }).toEqual({ status: 429, type: 'rate_limit_error' });
  expect((await service.request('HEAD', `/v1/files/${small}/content`)).status).toBe(200);
  expect((await service.request('GET', `/v1/files/${small}`)).status).toBe(200);
  first.destroy();
  await until(
    async () => (await service.request('GET', `/v1/files/${small}/content`)).status === 200 || undefined,
    'a slot again',
  );
  for (let n = 0; n < 5; n++) expect((await service.request('GET', `/v1/files/${small}/content`)).status).toBe(200);
});
