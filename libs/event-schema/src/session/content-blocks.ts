import { z } from 'zod';
import { textSchema } from '../text';

/** Most blocks in one content. */
export const MAX_SESSION_CONTENT_BLOCKS = 1000;

/** Longest text that is checked at all, in Unicode characters: how large an event may be is measured in bytes where it is encoded. */
export const MAX_SESSION_TEXT_LENGTH = 33_554_432;

/** Longest title and other one-line text, in Unicode characters. */
export const MAX_SESSION_LABEL_LENGTH = 500;

/** Longest URL, in characters. */
const MAX_URL_LENGTH = 4096;

/** Longest id of a file, in characters. */
const MAX_FILE_ID_LENGTH = 128;

/** Kinds of pictures that a message can hold. */
export const SESSION_IMAGE_MEDIA_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'] as const;

/** Kinds of documents that a message can hold. */
export const SESSION_DOCUMENT_MEDIA_TYPES = [
  'application/pdf',
  'text/plain',
  'text/markdown',
  'text/csv',
  'application/json',
] as const;

const text = textSchema(MAX_SESSION_TEXT_LENGTH);
const label = textSchema(MAX_SESSION_LABEL_LENGTH);

export const fileIdSchema = z
  .string()
  .regex(new RegExp(`^[A-Za-z0-9_.:-]{1,${MAX_FILE_ID_LENGTH}}$`), 'must be the id of a file');

/** Characters of base64 that are looked at at once: of a text of many megabytes an expression would overflow its stack. */
const BASE64_PIECE = 65_536;

function isBase64(text: string): boolean {
  const end = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length;
  if (end === 0) return false;
  for (let at = 0; at < end; at += BASE64_PIECE) {
    if (!/^[A-Za-z0-9+/]+$/.test(text.slice(at, Math.min(end, at + BASE64_PIECE)))) return false;
  }
  return true;
}

const base64 = z.string().refine(isBase64, 'must be base64').meta({ contentEncoding: 'base64' });
const url = z
  .string()
  .max(MAX_URL_LENGTH)
  .regex(/^https?:\/\/[^\s\p{C}]+$/u, 'must be an http or https URL');

const urlSource = z.strictObject({ type: z.literal('url'), url });
const fileSource = z.strictObject({ type: z.literal('file'), file_id: fileIdSchema });

const imageSource = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('base64'), media_type: z.enum(SESSION_IMAGE_MEDIA_TYPES), data: base64 }),
  urlSource,
  fileSource,
]);

const documentSource = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('base64'), media_type: z.enum(SESSION_DOCUMENT_MEDIA_TYPES), data: base64 }),
  z.strictObject({ type: z.literal('text'), media_type: z.literal('text/plain'), data: text.min(1) }),
  urlSource,
  fileSource,
]);

/** Text that somebody wrote to an agent: at least one character. */
export const sentTextBlock = z.strictObject({ type: z.literal('text'), text: text.min(1) });

const imageBlock = z.strictObject({ type: z.literal('image'), source: imageSource });

const documentBlock = z.strictObject({
  type: z.literal('document'),
  source: documentSource,
  title: label.nullable().optional(),
  context: text.nullable().optional(),
});

const redactedBlock = z.strictObject({ type: z.literal('redacted') });

const searchResultBlock = z.strictObject({
  type: z.literal('search_result'),
  source: text,
  title: text,
  content: z.array(z.strictObject({ type: z.literal('text'), text })).max(MAX_SESSION_CONTENT_BLOCKS),
  citations: z.strictObject({ enabled: z.boolean() }),
});

const content = <T extends z.ZodType>(block: T) => z.array(block).max(MAX_SESSION_CONTENT_BLOCKS);

/** What a message of the user holds. */
export const sentMessageContent = content(
  z.discriminatedUnion('type', [sentTextBlock, imageBlock, documentBlock, redactedBlock]),
).min(1);

/** What a tool of the application found. */
export const sentResultContent = content(
  z.discriminatedUnion('type', [sentTextBlock, imageBlock, documentBlock, searchResultBlock]),
);

export const sentSystemContent = content(sentTextBlock).min(1);

/** A block as it is stored, or comes from an engine: what it says beside its type is passed on. */
const anyBlock = z.looseObject({ type: z.string().min(1) });
const anyTextBlock = z.looseObject({ type: z.literal('text'), text: z.string() });
const anyRedactedBlock = z.looseObject({ type: z.literal('redacted') });

/** What an agent says. */
export const agentMessageContent = content(z.discriminatedUnion('type', [anyTextBlock, anyRedactedBlock]));

/** Blocks of any kind. */
export const anyContent = content(anyBlock);
