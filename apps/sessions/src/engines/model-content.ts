import type { ModelBlock } from './conversation-writer';

interface Block {
  readonly type?: unknown;
  readonly text?: unknown;
  readonly source?: { readonly type?: unknown; readonly media_type?: unknown; readonly data?: unknown };
  readonly title?: unknown;
  readonly context?: unknown;
}

/** Content of an event as content of a message. What a model cannot be given is named in its place. */
export function toModelContent(content: unknown): readonly ModelBlock[] {
  return Array.isArray(content) ? content.flatMap((block) => toModelBlock(block as Block)) : [];
}

/** The text of content. */
export function toText(content: unknown): string {
  const blocks: readonly Block[] = Array.isArray(content) ? content : [];
  return blocks.flatMap(({ text }) => (typeof text === 'string' ? [text] : [])).join('\n');
}

function toModelBlock(block: Block): ModelBlock[] {
  switch (block.type) {
    case 'text':
      // Empty ones are refused.
      return typeof block.text === 'string' && block.text.trim() !== '' ? [{ type: 'text', text: block.text }] : [];
    case 'image':
    case 'document':
      return [withSource(block, block.type)];
    case 'search_result':
      return [{ ...block, type: 'search_result' }];
    default:
      return [{ type: 'text', text: `[${String(block.type)}]` }];
  }
}

function withSource({ source, title, context }: Block, type: 'image' | 'document'): ModelBlock {
  if (source === undefined || source.type === 'file')
    return {
      type: 'text',
      text: `[a ${type} that is left out: it is too large beside the others, or not there any more]`,
    };
  const notes = {
    ...(typeof title === 'string' && type === 'document' && { title }),
    ...(typeof context === 'string' && type === 'document' && { context }),
  };
  const { media_type: mediaType, data } = source;
  const isText = typeof mediaType === 'string' && /^text\/|^application\/json$/.test(mediaType);
  if (source.type !== 'base64' || !isText || typeof data !== 'string') return { type, source, ...notes };
  const text = Buffer.from(data, 'base64').toString('utf8');
  return { type, source: { type: 'text', media_type: 'text/plain', data: text }, ...notes };
}
