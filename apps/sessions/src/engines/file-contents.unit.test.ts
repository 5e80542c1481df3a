import { Readable } from 'node:stream';
import { MemoryFileStore, MemorySessionDocuments } from '@sluice/agent-sessions';
import { bytesField, keyOf } from '../files/file-bytes';
import { MAX_SENT_FILE_BYTES } from '../sessions/sent-files';
import { FileContents } from './file-contents';

const WORKSPACE = 7;
const TEXT = 'What is good: äöü';

let files: FileContents;

beforeAll(async () => {
  const [documents, store] = [new MemorySessionDocuments(), new MemoryFileStore()];
  const kinds = {
    file_text: 'text/markdown',
    file_json: 'application/json',
    file_png: 'image/png',
    file_pdf: 'application/pdf',
    file_large: 'image/png',
  };
  for (const [id, mediaType] of Object.entries(kinds)) {
    const bytes = { workspaceId: WORKSPACE, bytesId: id };
    const content = Readable.from([id === 'file_large' ? Buffer.alloc(MAX_SENT_FILE_BYTES * 0.6) : Buffer.from(TEXT)]);
    await store.put({ key: keyOf(bytes), content, maxBytes: MAX_SENT_FILE_BYTES });
    const times = { createdAtMs: 0, updatedAtMs: 0, archivedAtMs: null, expiresAtMs: null };
    const fields = { mime_type: mediaType, ...bytesField(bytes) };
    await documents.create([{ workspaceId: WORKSPACE, kind: 'file', id, parentId: null, ...times, fields }]);
  }
  files = new FileContents(documents, store);
});

const base64 = Buffer.from(TEXT).toString('base64');
const block = (type: string, id: string) => ({ type, source: { type: 'file', file_id: id } });
const sourcesOf = async (...content: ReturnType<typeof block>[]) => {
  const [event] = await files.expand(WORKSPACE, [{ type: 'user.message', content }]);
  return (event?.['content'] as { source: unknown }[]).map(({ source }) => source);
};

describe('FileContents', () => {
  it('gives the bytes of pictures and documents, and the text of documents that are texts', async () => {
    const content = [block('image', 'file_png'), block('document', 'file_pdf'), block('document', 'file_text')];
    expect(await sourcesOf(...content, block('document', 'file_json'))).toEqual([
      { type: 'base64', media_type: 'image/png', data: base64 },
      { type: 'base64', media_type: 'application/pdf', data: base64 },
      { type: 'text', media_type: 'text/plain', data: TEXT },
      { type: 'text', media_type: 'text/plain', data: TEXT },
    ]);
  });

  it('puts no text into a picture: what is none stays a reference', async () => {
    const source = { type: 'file', file_id: 'file_text' };
    expect(await sourcesOf(block('image', 'file_text'))).toEqual([source]);
  });

  it('gives the latest files where there is no room for all', async () => {
    const large = (id: string) => ({ type: 'user.message', content: [block('image', id)] });
    const found = await files.expand(WORKSPACE, [large('file_large'), large('file_png'), large('file_large')]);
    const types = found.flatMap(({ content }) => (content as { source: { type: string } }[]).map((b) => b.source.type));
    expect(types).toEqual(['file', 'base64', 'base64']);
  });

  it('gives the text of a rubric', async () => {
    const outcome = { type: 'user.define_outcome', description: 'd', rubric: { type: 'file', file_id: 'file_text' } };
    expect(await files.expand(WORKSPACE, [outcome])).toEqual([{ ...outcome, rubric: { type: 'text', content: TEXT } }]);
    const gone = { ...outcome, rubric: { type: 'file', file_id: 'file_none' } };
    expect(await files.expand(WORKSPACE, [gone])).toEqual([gone]);
  });

  it('leaves alone what names no file, and what is another workspace’s', async () => {
    const events = [
      { type: 'user.interrupt' },
      { type: 'user.define_outcome', description: 'd', rubric: { type: 'text', content: 'c' } },
      { type: 'user.message', content: [{ type: 'text', text: 'file_text' }] },
    ];
    expect(await files.expand(WORKSPACE, events)).toEqual(events);
    const foreign = [{ type: 'user.message', content: [block('document', 'file_text')] }];
    expect(await files.expand(WORKSPACE + 1, foreign)).toEqual(foreign);
  });
});
