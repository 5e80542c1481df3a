import type { FileStore, SessionDocuments } from '@sluice/agent-sessions';
import { readBytes } from '../files/file-bytes';
import { canHold, isTextType, MAX_SENT_FILE_BYTES } from '../sessions/sent-files';

type Event = Readonly<Record<string, unknown>>;

interface Budget {
  leftBytes: number;
}

interface Block {
  readonly type?: unknown;
  readonly source?: { readonly type?: unknown; readonly file_id?: unknown };
}

/** Gives engines the bytes of files, in place of their ids. */
export class FileContents {
  constructor(
    private readonly documents: Pick<SessionDocuments, 'find'>,
    private readonly store: Pick<FileStore, 'get'>,
  ) {}

  /**
   * Copies of the events whose file sources are base64, or text, and whose rubrics are texts. What is not there any more
   * stays a reference, and so do the files of the earliest events where all are more than `MAX_SENT_FILE_BYTES`.
   */
  async expand(workspaceId: number, events: readonly Event[]): Promise<readonly Event[]> {
    const budget = { leftBytes: MAX_SENT_FILE_BYTES };
    const expanded: Event[] = [];
    for (const event of events.toReversed()) expanded.push(await this.expandEvent(workspaceId, event, budget));
    return expanded.reverse();
  }

  private async expandEvent(workspaceId: number, event: Event, budget: Budget): Promise<Event> {
    if (event['type'] === 'user.define_outcome') return this.expandRubric(workspaceId, event, budget);
    const { content } = event;
    if (!Array.isArray(content)) return event;
    const blocks: unknown[] = [];
    for (const block of content) blocks.push(await this.expandBlock(workspaceId, block as Block, budget));
    return { ...event, content: blocks };
  }

  private async expandRubric(workspaceId: number, event: Event, budget: Budget): Promise<Event> {
    const rubric = event['rubric'] as Block['source'];
    const file = await this.read(workspaceId, rubric, budget, isTextType);
    return file ? { ...event, rubric: { type: 'text', content: file.bytes.toString('utf8') } } : event;
  }

  private async expandBlock(workspaceId: number, block: Block, budget: Budget): Promise<unknown> {
    const file = await this.read(workspaceId, block.source, budget, (mediaType) => canHold(block.type, mediaType));
    if (!file) return block;
    const { mediaType, bytes } = file;
    const source = isTextType(mediaType)
      ? { type: 'text', media_type: 'text/plain', data: bytes.toString('utf8') }
      : { type: 'base64', media_type: mediaType, data: bytes.toString('base64') };
    return { ...block, source };
  }

  /** The file that is named, if it is there, fits, and is not too large. */
  private async read(
    workspaceId: number,
    source: Block['source'],
    budget: Budget,
    fits: (mediaType: string) => boolean,
  ): Promise<{ readonly mediaType: string; readonly bytes: Buffer } | undefined> {
    const id = source?.type === 'file' ? source.file_id : undefined;
    const document = typeof id === 'string' ? await this.documents.find(workspaceId, 'file', id) : undefined;
    const mediaType = String(document?.fields['mime_type']);
    if (!document || !fits(mediaType)) return undefined;
    const file = await readBytes(this.store, document);
    if (!file || file.sizeBytes > budget.leftBytes) return undefined;
    budget.leftBytes -= file.sizeBytes;
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.content) chunks.push(chunk);
    return { mediaType, bytes: Buffer.concat(chunks) };
  }
}
