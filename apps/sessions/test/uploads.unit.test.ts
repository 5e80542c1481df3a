import { connect } from 'node:net';
import { toFile } from '@anthropic-ai/sdk';
import { all, refusalOf, startSessions, type SdkSessions } from './support/sdk-sessions';
import { until } from './support/sessions-app';

let service: SdkSessions;

beforeAll(async () => {
  service = await startSessions({ SLUICE_FILE_MAX_SIZE: '2MiB', SLUICE_FILES_QUOTA: '8MiB' });
});

afterAll(() => service.stop());

/** How many notes there are on bytes that are on their way. */
async function notes(workspaceId: number): Promise<number> {
  const documents = await service.host.engine.sessionDocuments();
  const kind = 'file_bytes';
  const query = { workspaceId, kind, order: 'ascending', limit: 1_000, includeArchived: true } as const;
  return (await documents.list(query)).documents.length;
}

function form(...parts: readonly [string, string | File][]): FormData {
  const data = new FormData();
  for (const [name, value] of parts) data.append(name, value);
  return data;
}

const file = (text = 'content', name = 'f.txt') => new File([text], name);

it.each<[string, FormData]>([
  ['before', form(['expires_in_seconds', '3600'], ['file', file()])],
  ['after', form(['file', file()], ['expires_in_seconds', '3600'])],
])('takes the expiry %s the file', async (_, data) => {
  const { status, body } = await service.request('POST', '/v1/files', data);
  expect(status).toBe(200);
  expect(Date.parse(body.expires_at) - Date.parse(body.created_at)).toBe(3_600_000);
});

it.each<[string, FormData]>([
  ['nothing', form()],
  ['no file', form(['expires_in_seconds', '3600'])],
  ['two files', form(['file', file()], ['file', file()])],
  ['three files', form(['file', file()], ['file', file()], ['file', file()])],
  ['a file of another name', form(['document', file()])],
  ['a file that is text', form(['file', 'text'])],
  ['an expiry too short', form(['file', file()], ['expires_in_seconds', '3599'])],
  ['an expiry too long', form(['expires_in_seconds', '7776001'], ['file', file()])],
  ['an expiry that is no number', form(['file', file()], ['expires_in_seconds', '1h'])],
  ['an unknown part', form(['file', file()], ['purpose', 'x'])],
  ['a part named like a prototype', form(['file', file()], ['__proto__', 'x'])],
  [
    'many parts',
    form(['file', file()], ...Array.from({ length: 50 }, (): [string, string] => ['expires_in_seconds', '3600'])),
  ],
  ['no filename but a folder', form(['file', file('x', 'folder/')])],
  ['a filename of 501', form(['file', file('x', 'n'.repeat(501))])],
])('refuses %s and keeps nothing', async (_, data) => {
  const key = await service.key(51);
  const { status, body } = await service.request('POST', '/v1/files', data, { 'x-api-key': key });
  expect({ status, type: body?.error.type }).toEqual({ status: 400, type: 'invalid_request_error' });
  const client = service.clientOf(key);
  expect(await all(client.beta.files.list())).toEqual([]);
  expect(await notes(51)).toBe(0);
});

it.each<[string, string, string | Uint8Array]>([
  ['JSON', 'application/json', '{}'],
  ['a form without a boundary', 'multipart/form-data', 'x'],
  [
    'a form that is cut',
    'multipart/form-data; boundary=b',
    '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
  ],
  ['a form that is none', 'multipart/form-data; boundary=b', 'nothing'],
  ['an empty body', 'multipart/form-data; boundary=b', ''],
])('refuses %s', async (_, contentType, body) => {
  const answer = await service.request('POST', '/v1/files', body, { 'content-type': contentType });
  expect({ status: answer.status, type: answer.body.error.type }).toEqual({
    status: 400,
    type: 'invalid_request_error',
  });
  expect(await notes(1)).toBe(0);
});

it('refuses a file that is too large while it still comes, and keeps nothing of it', async () => {
  const key = await service.key(52);
  const client = service.clientOf(key);
  const before = await refusalOf(
    client.beta.files.upload({ file: await toFile(Buffer.alloc(2 * 1_048_576 + 1), 'large.bin') }),
  );
  expect(before).toMatchObject({ status: 413, type: 'request_too_large' });
  const within = await client.beta.files.upload({ file: await toFile(Buffer.alloc(2 * 1_048_576), 'just.bin') });
  expect(within.size_bytes).toBe(2 * 1_048_576);
  expect(await all(client.beta.files.list())).toEqual([within]);
  expect(await notes(52)).toBe(0);
});

it('refuses more than a workspace may have, and takes it when there is room again', async () => {
  const client = service.clientOf(await service.key(53));
  const large = async () => client.beta.files.upload({ file: await toFile(Buffer.alloc(1_900_000), 'l.bin') });
  const kept = [await large(), await large(), await large(), await large()];
  const refused = await refusalOf(large());
  expect(refused).toMatchObject({ status: 400, errorCode: 'storage_quota_exceeded' });
  expect(await all(client.beta.files.list())).toHaveLength(4);
  await client.beta.files.delete(kept[0]?.id ?? '');
  expect(await large()).toMatchObject({ size_bytes: 1_900_000 });
});

it('keeps nothing when the caller goes away in the middle', async () => {
  const key = await service.key(54);
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(
    `POST /v1/files HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\ncontent-length: 1000000\r\n` +
      'content-type: multipart/form-data; boundary=b\r\n\r\n' +
      '--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf of it',
  );
  await until(async () => (await notes(54)) === 1 || undefined, 'the upload begins');
  socket.destroy();
  await until(async () => (await notes(54)) === 0 || undefined, 'the upload is let go');
  expect(await all(service.clientOf(key).beta.files.list())).toEqual([]);
});

it('stores a body as it comes: it is not among the bodies in hand', async () => {
  const large = await startSessions({ SLUICE_FILE_MAX_SIZE: '64MiB' });
  try {
    const chunk = Buffer.alloc(1_048_576, 'x');
    const chunks = 32;
    let sent = 0;
    let finish: () => void = () => undefined;
    const goOn = new Promise<void>((resolve) => (finish = resolve));
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(
          Buffer.from('--b\r\ncontent-disposition: form-data; name="file"; filename="big.bin"\r\n\r\n'),
        );
      },
      pull: async (controller) => {
        if (sent < chunks) {
          sent++;
          controller.enqueue(chunk);
          return;
        }
        await goOn;
        controller.enqueue(Buffer.from('\r\n--b--\r\n'));
        controller.close();
      },
    });
    const answer = large.request('POST', '/v1/files', body, { 'content-type': 'multipart/form-data; boundary=b' });
    await until(() => sent === chunks || undefined, 'all of it is sent');
    const metrics = await large.request('GET', '/metrics');
    const inHand = /^sluice_http_body_bytes_in_hand(?:\{[^}]*\})? (\d+)$/m.exec(metrics.text)?.[1];
    expect(Number(inHand)).toBe(0);
    finish();
    expect((await answer).body.size_bytes).toBe(chunks * chunk.length);
  } finally {
    await large.stop();
  }
});

it('takes so many uploads at a time, and half of them of one workspace', async () => {
  const small = await startSessions({ SLUICE_FILE_UPLOADS: '2' });
  try {
    const [one, other, third] = [await small.key(1), await small.key(2), await small.key(3)];
    const upload = async (key: string) =>
      (await small.request('POST', '/v1/files', form(['file', file()]), { 'x-api-key': key })).status;
    const { hostname, port } = new URL(small.url);
    const blocked = (key: string) => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      socket.write(
        `POST /v1/files HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\ncontent-length: 1000\r\n` +
          'content-type: multipart/form-data; boundary=b\r\n\r\n' +
          '--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf of it',
      );
      return socket;
    };
    const sockets = [blocked(one)];
    await until(async () => (await upload(one)) === 429 || undefined, 'the workspace has no slot left');
    expect(await upload(other)).toBe(200);
    sockets.push(blocked(other));
    await until(async () => (await upload(third)) === 503 || undefined, 'there is no slot left');
    for (const socket of sockets) socket.destroy();
    await until(async () => (await upload(one)) === 200 || undefined, 'slots again');
  } finally {
    await small.stop();
  }
});

it('gives the same file when an upload is repeated with its key', async () => {
  const headers = { 'idempotency-key': 'upload-1' };
  const first = await service.request('POST', '/v1/files', form(['file', file('first')]), headers);
  const again = await service.request('POST', '/v1/files', form(['file', file('again')]), headers);
  expect(again.body).toEqual(first.body);
  expect(await (await service.client.beta.files.download(first.body.id)).text()).toBe('first');
});

it('turns a stranger away before the body is read', async () => {
  const answer = await service.request('POST', '/v1/files', form(['file', file()]), { 'x-api-key': 'sk_wrong' });
  expect({ status: answer.status, type: answer.body.error.type }).toEqual({
    status: 401,
    type: 'authentication_error',
  });
});
