import type { SessionEventInput } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { sendSessionEventSchema, type SendSessionEvent } from '@sluice/event-schema';
import { validate } from '@sluice/service-runtime';
import { faultOfFilename, lastNameOf } from '../files/filename';
import type { SessionParts } from './session-parts';
import { SentFiles } from './sent-files';

/** What is inline beyond so many characters of base64 becomes a file (ADR 0012). */
export const MAX_INLINE_CHARACTERS = 65_536;

/** Keeps what came inline as files of its session. */
export interface InlineFiles {
  /** Gives the file's id. */
  keep(
    workspaceId: number,
    sessionId: string,
    file: { readonly base64: string; readonly mediaType: string; readonly filename: string },
  ): Promise<string>;
  remove(workspaceId: number, fileId: string): Promise<void>;
}

interface Block {
  readonly type: string;
  readonly source?: {
    readonly type: string;
    readonly file_id?: string;
    readonly data?: string;
    readonly media_type?: string;
  };
  readonly title?: string | null;
}

/** Events whose large parts are files now. */
export interface StoredInputs {
  readonly events: readonly SessionEventInput[];
  /** Removes those files, for when the events are not taken. */
  drop(): Promise<void>;
}

/** Reads what callers send: each event by its schema, each file that it names looked up, what is large put aside. */
export class SentEvents {
  constructor(
    private readonly parts: Pick<SessionParts, 'requireFile'>,
    private readonly files: InlineFiles,
  ) {}

  /**
   * As they are, whatever is inline in them.
   * @throws SluiceError `invalid_request`, `not_found` for files that are not there, `payload_too_large` for more of them than
   *   an engine can be given
   */
  async read(workspaceId: number, events: readonly unknown[], where: string): Promise<readonly SessionEventInput[]> {
    const parsed = events.map((event, index) => parse(event, `${where}[${index}]`));
    const files = new SentFiles(this.parts, workspaceId);
    for (const [index, event] of parsed.entries()) await requireFiles(files, event, `${where}[${index}]`);
    return parsed;
  }

  /**
   * Puts aside what is too large to be inline.
   * @throws SluiceError as files are refused; nothing is kept then
   */
  async store(workspaceId: number, sessionId: string, events: readonly SessionEventInput[]): Promise<StoredInputs> {
    const fileIds: string[] = [];
    const drop = async () => {
      // Each, though another one cannot be removed.
      await Promise.allSettled(fileIds.splice(0).map((id) => this.files.remove(workspaceId, id)));
    };
    const keep = async (block: Block): Promise<Block> => {
      if (!isLarge(block)) return block;
      const { data: base64, media_type: mediaType = 'application/octet-stream' } = block.source;
      const name = lastNameOf(block.title ?? '');
      // A title that is no name of a file stays in the event.
      const filename = faultOfFilename(name) === undefined ? name : block.type;
      const id = await this.files.keep(workspaceId, sessionId, { base64, mediaType, filename });
      fileIds.push(id);
      return { ...block, source: { type: 'file', file_id: id } };
    };
    const stored: SessionEventInput[] = [];
    try {
      for (const event of events) stored.push(await withBlocks(event, keep));
    } catch (error) {
      await drop().catch(() => undefined);
      throw error;
    }
    return { events: stored, drop };
  }
}

async function requireFiles(files: SentFiles, event: SendSessionEvent, where: string): Promise<void> {
  if (event.type === 'user.define_outcome' && event.rubric.type === 'file') {
    await files.requireRubric(event.rubric.file_id, `${where}.rubric.file_id`);
  }
  for (const [index, block] of blocksOf(event).entries()) {
    const place = `${where}.content[${index}].source`;
    const { type, source } = block;
    if (source?.file_id !== undefined) await files.requireContent(source.file_id, type, `${place}.file_id`);
    else if (isLarge(block)) files.add(Math.ceil((block.source.data.length * 3) / 4), `${place}.data`);
  }
}

/** Whether something in them is too large to be inline. */
export function hasLarge(events: readonly SessionEventInput[]): boolean {
  return events.some((event) => blocksOf(event).some(isLarge));
}

type LargeBlock = Block & { readonly source: { readonly data: string; readonly media_type?: string } };

function isLarge(block: Block): block is LargeBlock {
  const { source } = block;
  return source?.type === 'base64' && source.data !== undefined && source.data.length > MAX_INLINE_CHARACTERS;
}

function blocksOf(event: object): readonly Block[] {
  return 'content' in event && Array.isArray(event.content) ? (event.content as readonly Block[]) : [];
}

async function withBlocks(
  event: SessionEventInput,
  change: (block: Block) => Promise<Block>,
): Promise<SessionEventInput> {
  if (!blocksOf(event).some(isLarge)) return event;
  const content: Block[] = [];
  for (const block of blocksOf(event)) content.push(await change(block));
  return { ...event, content };
}

function parse(event: unknown, where: string): SendSessionEvent {
  try {
    return validate(sendSessionEventSchema, event);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const place = [where, error.where].filter((part) => part !== undefined).join('.');
    const message = error.where === undefined ? error.message : error.message.slice(error.where.length + 2);
    throw new SluiceError('invalid_request', `${place}: ${message}`, { where: place });
  }
}
