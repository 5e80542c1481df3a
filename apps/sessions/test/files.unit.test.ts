import { randomBytes } from 'node:crypto';
import { toFile } from '@anthropic-ai/sdk';
import { Anthropic as OldAnthropic } from 'anthropic-sdk-0';
import { SYSTEM_CLOCK } from '../src/clock';
import { bytesOf, keyOf } from '../src/files/file-bytes';
import { StoredFiles } from '../src/files/stored-files';
import { all, makeParts, refusalOf, startSessions, type SdkSessions } from './support/sdk-sessions';

let service: SdkSessions;

beforeAll(async () => {
  service = await startSessions({ SLUICE_FILE_MAX_SIZE: '2MiB', SLUICE_FILES_QUOTA: '8MiB' });
});

afterAll(() => service.stop());

const upload = async (client = service.client, text = 'hello', name = 'a.txt', type?: string) =>
  client.beta.files.upload({ file: await toFile(Buffer.from(text), name, type === undefined ? {} : { type }) });

/** The key of the bytes of a file of workspace 1. */
async function keyOfBytes(id: string): Promise<string> {
  const file = await (await service.host.engine.sessionDocuments()).find(1, 'file', id);
  if (!file) throw new Error('There is no such file');
  return keyOf(bytesOf(file));
}

async function hasBytes(key: string): Promise<boolean> {
  return (await (await service.host.engine.fileStore()).get(key)) !== undefined;
}

async function notes(workspaceId: number): Promise<number> {
  const documents = await service.host.engine.sessionDocuments();
  const kind = 'file_bytes';
  const query = { workspaceId, kind, order: 'ascending', limit: 1_000, includeArchived: true } as const;
  return (await documents.list(query)).documents.length;
}

it('keeps a file and gives its bytes back, with both SDKs', async () => {
  for (const client of [service.client, service.oldClient]) {
    const bytes = randomBytes(300_000);
    const file = await client.beta.files.upload({ file: await toFile(bytes, 'deep/folder/report.pdf') });
    expect(file).toEqual({
      id: expect.stringMatching(/^file_[0-9a-f]{32}$/),
      type: 'file',
      filename: 'report.pdf',
      mime_type: 'application/pdf',
      size_bytes: 300_000,
      created_at: expect.any(String),
      downloadable: true,
      expires_at: null,
      scope: null,
    });
    expect(await client.beta.files.retrieveMetadata(file.id)).toEqual(file);
    const response = await client.beta.files.download(file.id);
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': '300000',
      'content-disposition': "attachment; filename*=UTF-8''report.pdf",
      'x-content-type-options': 'nosniff',
      'request-id': expect.any(String),
    });
    const key = await keyOfBytes(file.id);
    expect(await hasBytes(key)).toBe(true);
    expect(await client.beta.files.delete(file.id)).toEqual({ id: file.id, type: 'file_deleted' });
    expect(await refusalOf(client.beta.files.download(file.id))).toMatchObject({ status: 404 });
    expect(await refusalOf(client.beta.files.delete(file.id))).toMatchObject({ status: 404 });
    expect(await hasBytes(key)).toBe(false);
  }
  expect(await notes(1)).toBe(0);
});

it.each<[string, string | undefined, string, string]>([
  ['a.md', undefined, 'a.md', 'text/markdown'],
  ['a.md', 'text/csv', 'a.md', 'text/csv'],
  ['a.CSV', 'application/octet-stream', 'a.CSV', 'text/csv'],
  ['a', undefined, 'a', 'application/octet-stream'],
  ['C:\\Users\\me\\übung "1".txt', 'Text/Plain; charset=utf-8', 'übung "1".txt', 'text/plain'],
])('names %s of type %s as %s, %s', async (name, type, filename, mimeType) => {
  const file = await upload(service.client, 'x', name, type);
  expect(file).toMatchObject({ filename, mime_type: mimeType });
  const { headers } = await service.client.beta.files.download(file.id);
  expect(headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''${encodeURIComponent(filename)}`);
});

it('asks for the head of a download without its bytes', async () => {
  const { id } = await upload(service.client, 'x'.repeat(1_000));
  const { status, headers, text } = await service.request('HEAD', `/v1/files/${id}/content`);
  expect({ status, length: headers.get('content-length'), text }).toEqual({ status: 200, length: '1000', text: '' });
});

it('keeps an empty file', async () => {
  const { id, size_bytes: size } = await upload(service.client, '');
  expect(size).toBe(0);
  expect(await (await service.client.beta.files.download(id)).text()).toBe('');
});

it('lists in pages, by session and by id, and in the way of the older SDK', async () => {
  const key = await service.key(55);
  const client = service.clientOf(key);
  const made: string[] = [];
  for (let index = 0; index < 5; index++) made.push((await upload(client, 'x', `${index}.txt`)).id);
  const ids = (files: readonly { readonly id: string }[]) => files.map(({ id }) => id);
  const listed = ids(await all(client.beta.files.list()));
  expect(new Set(listed)).toEqual(new Set(made));
  expect(ids(await all(client.beta.files.list({ limit: 2 })))).toEqual(listed);
  expect(new Set(ids(await all(client.beta.files.list({ ids: [made[1] ?? '', made[3] ?? '', 'file_none'] }))))).toEqual(
    new Set([made[1], made[3]]),
  );
  expect(ids(await all(client.beta.files.list({ ids: [made[2] ?? ''] })))).toEqual([made[2]]);
  const headers = { 'x-api-key': key };
  const first = (await service.request('GET', '/v1/files?limit=2&beta=true', undefined, headers)).body;
  expect(first).toMatchObject({ has_more: true, first_id: listed[0], last_id: listed[1] });
  const second = (await service.request('GET', `/v1/files?limit=2&after_id=${first.last_id}`, undefined, headers)).body;
  expect(ids(second.data)).toEqual(listed.slice(2, 4));
  const back = (await service.request('GET', `/v1/files?limit=1&before_id=${second.first_id}`, undefined, headers))
    .body;
  expect(ids(back.data)).toEqual([listed[1]]);
  expect(back).toMatchObject({ has_more: true, next_page: null });
  const unknown = await service.request('GET', '/v1/files?after_id=file_none', undefined, headers);
  expect(unknown.status).toBe(400);
  const old = new OldAnthropic({ baseURL: service.url, apiKey: key });
  expect(ids(await all(old.beta.files.list({ limit: 2 })))).toEqual(listed);
  expect(ids(await all(old.beta.files.list({ limit: 2, before_id: listed[4] ?? '' })))).toEqual(
    expect.arrayContaining(listed.slice(0, 4)),
  );
});

it('puts what comes inline and is large aside as a file of its session', async () => {
  const { beta } = service.client;
  const session = await beta.sessions.create(await makeParts(service.client));
  const bytes = randomBytes(90_000);
  const source = { type: 'base64' as const, media_type: 'application/pdf', data: bytes.toString('base64') };
  const { data } = await beta.sessions.events.send(session.id, {
    events: [{ type: 'user.message', content: [{ type: 'document', source }] }],
  });
  const [scoped] = await all(beta.files.list({ scope_id: session.id }));
  expect(scoped).toMatchObject({ scope: { id: session.id, type: 'session' }, size_bytes: 90_000 });
  expect(data?.[0]).toMatchObject({ content: [{ source: { type: 'file', file_id: scoped?.id } }] });
  const content = await (await beta.files.download(scoped?.id ?? '')).arrayBuffer();
  expect(Buffer.from(content).equals(bytes)).toBe(true);
});

it('answers 404 file_expired for a file whose time has come, and removes it with its bytes', async () => {
  const { files } = service.client.beta;
  const { id } = await upload();
  const documents = await service.host.engine.sessionDocuments();
  const known = await documents.find(1, 'file', id);
  if (!known) throw new Error('It is there');
  const key = await keyOfBytes(id);
  const { version, ...document } = known;
  await documents.replace({ ...document, expiresAtMs: Date.now() - 1 }, version);
  const gone = { status: 404, errorCode: 'file_expired' };
  expect(await refusalOf(files.retrieveMetadata(id))).toMatchObject(gone);
  expect(await refusalOf(files.download(id))).toMatchObject(gone);
  expect((await all(files.list())).map((one) => one.id)).not.toContain(id);
  const parts = await makeParts(service.client);
  const use = service.client.beta.sessions.create({ ...parts, resources: [{ type: 'file', file_id: id }] });
  expect(await refusalOf(use)).toMatchObject({ status: 404 });
  const store = await service.host.engine.fileStore();
  const fail = (error: unknown) => {
    throw error;
  };
  const stored = new StoredFiles(store, documents, SYSTEM_CLOCK, { maxFileBytes: 1, quotaBytes: 1 }, fail);
  expect(await stored.sweep(new AbortController().signal)).toBe(false);
  expect(await documents.find(1, 'file', id)).toBeUndefined();
  expect(await hasBytes(key)).toBe(false);
  expect(await notes(1)).toBe(0);
});

it.each(['a.b', '..%2Fa', 'file_none', 'vlt_none'])('answers 404 to whatever is asked of the file %s', async (id) => {
  for (const [method, path] of [
    ['DELETE', `/v1/files/${id}`],
    ['GET', `/v1/files/${id}`],
    ['GET', `/v1/files/${id}/content`],
  ] as const) {
    const { status, body } = await service.request(method, path);
    expect({ status, type: body.error.type }).toEqual({ status: 404, type: 'not_found_error' });
  }
  expect(await notes(1)).toBe(0);
});
