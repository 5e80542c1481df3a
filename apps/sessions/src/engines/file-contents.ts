import type { FileStore, SessionDocuments } from '@sluice/agent-sessions';
import { fileKey } from '../files/stored-files';

/** Most bytes of files that are put into what one engine is told; files beyond it stay references. */
const MAX_EXPANDED_BYTES = 24 * 1024 * 1024;

type Event = Readonly<Record<string, unknown>>;

interface Block {
  readonly source?: { readonly type?: unknown; readonly file_id?: unknown };
}

/** Gives engines the bytes of files, in place of their ids. */
export class FileContents {
  constructor(
    private readonly documents: Pick<SessionDocuments, 'find'>,
    private readonly store: Pick<FileStore, 'get'>,
  ) {}

  /** Copies of the events whose file sources are base64. What is not there any more stays a reference. */
  async expand(workspaceId: number, events: readonly Event[]): Promise<readonly Event[]> {
    const budget = { leftBytes: MAX_EXPANDED_BYTES };
    const expanded: Event[] = [];
    for (const event of events) expanded.push(await this.expandEvent(workspaceId, event, budget));
    return expanded;
  }

  private async expandEvent(workspaceId: number, event: Event, budget: { leftBytes: number }): Promise<Event> {
    const { content } = event;
    if (!Array.isArray(content)) return event;
    const blocks: unknown[] = [];
    for (const block of content) blocks.push(await this.expandBlock(workspaceId, block as Block, budget));
    return { ...event, content: blocks };
  }

  private async expandBlock(workspaceId: number, block: Block, budget: { leftBytes: number }): Promise<unknown> {
    const id = block.source?.type === 'file' ? block.source.file_id : undefined;
    if (typeof id !== 'string') return block;
    const document = await this.documents.find(workspaceId, 'file', id);
    const file = document && (await this.store.get(fileKey(workspaceId, id)));
    if (!document || !file || file.sizeBytes > budget.leftBytes) return block;
    budget.leftBytes -= file.sizeBytes;
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.content) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const mediaType = String(document.fields['mime_type']);
    const source =
      mediaType.startsWith('text/') || mediaType === 'application/json'
        ? { type: 'text', media_type: 'text/plain', data: bytes.toString('utf8') }
        : { type: 'base64', media_type: mediaType, data: bytes.toString('base64') };
    return { ...block, source };
  }
}
