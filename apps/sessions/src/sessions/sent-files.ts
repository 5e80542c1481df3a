import { SluiceError } from '@sluice/event-log';
import { SESSION_DOCUMENT_MEDIA_TYPES, SESSION_IMAGE_MEDIA_TYPES } from '@sluice/event-schema';
import type { SessionParts } from './session-parts';

/** Most bytes of the files of one send: so much can be put into what an engine is told. */
export const MAX_SENT_FILE_BYTES = 24 * 1024 * 1024;

/** Largest file that is a rubric: no text in it has more characters than a rubric may have. */
const MAX_RUBRIC_BYTES = 262_144;

const OF_BLOCK: Readonly<Record<string, readonly string[]>> = {
  image: SESSION_IMAGE_MEDIA_TYPES,
  document: SESSION_DOCUMENT_MEDIA_TYPES,
};

/** Whether a file of this type is put into what engines are told as its text. */
export function isTextType(mediaType: string): boolean {
  return mediaType.startsWith('text/') || mediaType === 'application/json';
}

/** Whether a block of this type can hold a file of that type. Types of blocks that hold none hold all. */
export function canHold(blockType: unknown, mediaType: string): boolean {
  return OF_BLOCK[String(blockType)]?.includes(mediaType) ?? true;
}

/** The files that one send names: each is there, of a type that fits, and all of them can be given to an engine. */
export class SentFiles {
  private leftBytes = MAX_SENT_FILE_BYTES;

  constructor(
    private readonly parts: Pick<SessionParts, 'requireFile'>,
    private readonly workspaceId: number,
  ) {}

  /** In a block. @throws SluiceError `not_found`, `invalid_request` for a type that does not fit, `payload_too_large` */
  async requireContent(id: string, blockType: string, where: string): Promise<void> {
    const { fields } = await this.parts.requireFile(this.workspaceId, id, where);
    const mediaType = String(fields['mime_type']);
    if (!canHold(blockType, mediaType)) {
      throw invalid(where, `a block of type ${blockType} cannot hold a file of type ${mediaType}`);
    }
    this.add(Number(fields['size_bytes']), where);
  }

  /** @throws SluiceError `not_found`, `invalid_request` for one that is no text, or too long, `payload_too_large` */
  async requireRubric(id: string, where: string): Promise<void> {
    const { fields } = await this.parts.requireFile(this.workspaceId, id, where);
    const mediaType = String(fields['mime_type']);
    if (!isTextType(mediaType)) throw invalid(where, `a rubric is a text, and no file of type ${mediaType}`);
    const sizeBytes = Number(fields['size_bytes']);
    if (sizeBytes > MAX_RUBRIC_BYTES) throw invalid(where, `a rubric has at most ${MAX_RUBRIC_BYTES} bytes`);
    this.add(sizeBytes, where);
  }

  /** Of bytes that are to become a file. @throws SluiceError `payload_too_large` */
  add(sizeBytes: number, where: string): void {
    this.leftBytes -= sizeBytes;
    if (this.leftBytes >= 0) return;
    const message = `${where}: the files of one request have at most ${MAX_SENT_FILE_BYTES} bytes together`;
    throw new SluiceError('payload_too_large', message, { where });
  }
}

function invalid(where: string, what: string): SluiceError {
  return new SluiceError('invalid_request', `${where}: ${what}`, { where });
}
