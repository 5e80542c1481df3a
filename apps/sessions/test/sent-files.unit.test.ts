import { toFile } from '@anthropic-ai/sdk';
import { all, makeParts, refusalOf, startSessions, type SdkSessions } from './support/sdk-sessions';

const MIB = 1024 * 1024;

let service: SdkSessions;
let session: string;

beforeAll(async () => {
  service = await startSessions();
  const { client } = service;
  ({ id: session } = await client.beta.sessions.create(await makeParts(client)));
});

afterAll(() => service.stop());

async function upload(type: string, content: Buffer | string = 'hello'): Promise<string> {
  const file = await toFile(Buffer.from(content), 'a-file', { type });
  return (await service.client.beta.files.upload({ file })).id;
}

const withFile = (type: 'image' | 'document', id: string) => ({ type, source: { type: 'file' as const, file_id: id } });
const messageWith = (...content: ReturnType<typeof withFile>[]) => ({ type: 'user.message' as const, content });
const outcomeWith = (id: string) => ({
  type: 'user.define_outcome' as const,
  description: 'It works',
  rubric: { type: 'file' as const, file_id: id },
});
type Sent = ReturnType<typeof messageWith> | ReturnType<typeof outcomeWith>;
const send = (...events: Sent[]) => service.client.beta.sessions.events.send(session, { events });
const stored = async () => (await all(service.client.beta.sessions.events.list(session))).length;

/** Sends what is to be refused, and gives the refusal. */
async function refused(...events: Sent[]) {
  const before = await stored();
  const { status, error } = await refusalOf(send(...events));
  expect(await stored()).toBe(before);
  return { status, type: error.error.type, message: error.error.message as string };
}

it.each([
  ['image', 'application/zip'],
  ['image', 'application/pdf'],
  ['image', 'image/svg+xml'],
  ['image', 'text/plain'],
  ['document', 'image/png'],
  ['document', 'application/zip'],
  ['document', 'text/html'],
] as const)('refuses a file in a block of %s that is %s, and stores nothing', async (block, type) => {
  const good = withFile('document', await upload('text/plain'));
  const answer = await refused(messageWith(good, withFile(block, await upload(type))));
  expect(answer).toMatchObject({ status: 400, type: 'invalid_request_error' });
  expect(answer.message).toContain('events[0].content[1].source.file_id');
  expect(answer.message).toContain(type);
});

it('takes pictures and documents of each kind that there is', async () => {
  for (const type of ['image/jpeg', 'image/png', 'image/gif', 'image/webp']) {
    await send(messageWith(withFile('image', await upload(type))));
  }
  for (const type of ['application/pdf', 'text/plain', 'text/markdown', 'text/csv', 'application/json']) {
    await send(messageWith(withFile('document', await upload(type))));
  }
});

it('refuses what cannot be given to an engine at once, and says which file is too much', async () => {
  const half = await upload('application/pdf', Buffer.alloc(12 * MIB));
  const small = await upload('text/plain');
  const answer = await refused(
    messageWith(withFile('document', half)),
    messageWith(withFile('document', half), withFile('document', small)),
  );
  expect(answer).toMatchObject({ status: 413, type: 'request_too_large' });
  expect(answer.message).toContain('events[1].content[1].source.file_id');
  await send(messageWith(withFile('document', half)), messageWith(withFile('document', half)));
});

it('takes a rubric that is a text, and not a long one', async () => {
  await send(outcomeWith(await upload('text/markdown', 'a'.repeat(262_144))));
  const long = await refused(outcomeWith(await upload('text/markdown', 'a'.repeat(262_145))));
  expect(long).toMatchObject({ status: 400, type: 'invalid_request_error' });
  expect(long.message).toContain('events[0].rubric.file_id');
  const picture = await refused(outcomeWith(await upload('image/png')));
  expect(picture).toMatchObject({ status: 400, type: 'invalid_request_error' });
  expect(picture.message).toContain('events[0].rubric.file_id');
});
