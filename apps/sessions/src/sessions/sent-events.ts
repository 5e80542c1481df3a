import type { SessionEventInput } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { sendSessionEventSchema, type SendSessionEvent } from '@sluice/event-schema';
import { validate } from '@sluice/service-runtime';
import type { SessionParts } from './session-parts';

/** What is inline beyond so many characters of base64 becomes a file (ADR 0012). */
export const MAX_INLINE_CHARACTERS = 65_536;

/** Keeps what came inline as a file of its session; gives the file's id. */
export interface InlineFiles {
  keep(
    workspaceId: number,
    sessionId: string,
    file: { readonly base64: string; readonly mediaType: string; readonly filename: string },
  ): Promise<string>;
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

/** Reads what callers send: each event by its schema, each file that it names looked up, what is large put aside. */
export class SentEvents {
  constructor(
    private readonly parts: Pick<SessionParts, 'requireFile'>,
    private readonly files: InlineFiles,
  ) {}

  /** @throws SluiceError `invalid_request`, `not_found` for files that are not there, `payload_too_large` */
  async prepare(
    workspaceId: number,
    sessionId: string,
    events: readonly unknown[],
    where: string,
  ): Promise<readonly SessionEventInput[]> {
    const parsed = events.map((event, index) => parse(event, `${where}[${index}]`));
    const prepared: SessionEventInput[] = [];
    for (const [index, event] of parsed.entries()) {
      prepared.push(await this.withFiles(workspaceId, sessionId, event, `${where}[${index}]`));
    }
    return prepared;
  }

  private async withFiles(
    workspaceId: number,
    sessionId: string,
    event: SendSessionEvent,
    where: string,
  ): Promise<SessionEventInput> {
    if (event.type === 'user.define_outcome' && event.rubric.type === 'file') {
      await this.parts.requireFile(workspaceId, event.rubric.file_id, `${where}.rubric.file_id`);
    }
    if (!('content' in event) || event.content === undefined) return event;
    const content: Block[] = [];
    for (const [index, block] of (event.content as readonly Block[]).entries()) {
      content.push(await this.withFile(workspaceId, sessionId, block, `${where}.content[${index}]`));
    }
    return { ...event, content };
  }

  private async withFile(workspaceId: number, sessionId: string, block: Block, where: string): Promise<Block> {
    const { source } = block;
    if (source?.file_id !== undefined) {
      await this.parts.requireFile(workspaceId, source.file_id, `${where}.source.file_id`);
      return block;
    }
    if (source?.type !== 'base64' || source.data === undefined || source.data.length <= MAX_INLINE_CHARACTERS) {
      return block;
    }
    const { data: base64, media_type: mediaType = 'application/octet-stream' } = source;
    const filename = block.title ?? block.type;
    const fileId = await this.files.keep(workspaceId, sessionId, { base64, mediaType, filename });
    return { ...block, source: { type: 'file', file_id: fileId } };
  }
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
