/** What an endpoint means by an error to a request for logs. */
export type LimitAnswer =
  /** The range has too many blocks; `maxBlocks` where it says how many it takes. */
  | { readonly limit: 'blocks'; readonly maxBlocks: number | undefined }
  /** The range holds too many logs, or takes too long to search. */
  | { readonly limit: 'results' }
  /** Too many requests: later. */
  | { readonly limit: 'rate' }
  /** The batch has too many calls, or batches are not taken. */
  | { readonly limit: 'batch' };

/** The endpoint writes the message, so no more than its beginning is looked at. */
const MAX_LOOKED_AT = 500;

const RATE_CODES: ReadonlySet<number> = new Set([429, -32029, -32012, -32007, -32097]);
const RATE_WORDS =
  /rate.?limit|too many requests|compute units|credits limited|request limit reached|request count exceeded|requests? per (?:second|minute|day)|throughput|capacity exceeded|quota/i;

const BATCH_WORDS = /batch/i;

/** A range that would do, as two hexadecimal numbers. */
const SUGGESTED_HEX = /\[\s*0x([0-9a-f]{1,12})\s*,\s*0x([0-9a-f]{1,12})\s*\]/i;
/** The same as two decimal ones. */
const SUGGESTED_DECIMAL = /with the range (\d{1,12})\s*-\s*(\d{1,12})/i;

const COUNT = '(\\d{1,3}(?:,\\d{3})+|\\d{1,9})\\s*(k\\b)?';
/** Sentences with the number of blocks that are taken. */
const NAMED_MAXIMA: readonly RegExp[] = [
  new RegExp(`(?:limited to|up to)(?: an?)?(?: range of)?(?: 0 -)? ${COUNT} ?(?:blocks?)? ?range`, 'i'),
  new RegExp(`(?:limited to|up to|at most)(?: an?)?(?: 0 -)? ${COUNT} ?blocks?`, 'i'),
  new RegExp(`max(?:imum)?(?: allowed)?(?: block)? range(?: allowed)?(?: is)?:? ?${COUNT}`, 'i'),
  new RegExp(`ranges? (?:over|greater than|larger than|more than) ${COUNT}`, 'i'),
  new RegExp(`range(?: of)?[^.]{0,40}? exceeds? (?:the )?(?:limit|maximum)(?: of)?:? ?${COUNT}`, 'i'),
  new RegExp(`range[^.]{0,40}(?:the )?(?:limit|maximum) (?:is|of)(?: set to)?:? ?${COUNT}`, 'i'),
  new RegExp(`too many blocks[^.]{0,60}(?:maximum|limit) is(?: set to)? ${COUNT}`, 'i'),
  new RegExp(`blocks distance:? ?${COUNT}`, 'i'),
  new RegExp(`max(?:imum)? (?:is |of )?${COUNT} blocks?`, 'i'),
];

const BLOCKS_WORDS =
  /(?:block|blocks|query|allowed)[ -]?range|range (?:is )?too (?:large|wide|big)|too (?:wide|large) (?:a )?(?:blocks? )?range|too many blocks|blocks distance|eth_getlogs is limited|ranges? over/i;

const RESULTS_WORDS =
  /more than [\d,]+k? (?:results|logs)|too many (?:results|logs)|response (?:size|is too|too)|(?:result|response|query) (?:set |size )?(?:is )?(?:too large|exceed)|logs matched by query|limit exceeded|exceeds? (?:the )?(?:max|limit)|query timeout|timed? ?out|deadline exceeded|request entity too large|content length/i;

/** Codes that are given for too large ranges or results, whatever the message is. */
const RESULTS_CODES: ReadonlySet<number> = new Set([-32005, -32614, -32616, -32701, -32062]);

function countOf(match: RegExpExecArray): number {
  const number = Number((match[1] ?? '').replaceAll(',', ''));
  return match[2] === undefined ? number : number * 1000;
}

function suggestedBlocks(message: string): number | undefined {
  const hex = SUGGESTED_HEX.exec(message);
  if (hex !== null) return Number.parseInt(hex[2] ?? '', 16) - Number.parseInt(hex[1] ?? '', 16) + 1;
  const decimal = SUGGESTED_DECIMAL.exec(message);
  return decimal === null ? undefined : Number(decimal[2]) - Number(decimal[1]) + 1;
}

function namedMaximum(message: string): number | undefined {
  for (const pattern of NAMED_MAXIMA) {
    const match = pattern.exec(message);
    if (match !== null) return countOf(match);
  }
  return undefined;
}

/**
 * What limit an error tells of; undefined: it is about something else. `blocks` is how many the request spanned; 0 for other
 * requests than those for logs.
 */
export function limitAnswerOf(code: number, message: string, blocks: number): LimitAnswer | undefined {
  const said = message.slice(0, MAX_LOOKED_AT);
  if (RATE_CODES.has(code) || RATE_WORDS.test(said)) return { limit: 'rate' };
  if (BATCH_WORDS.test(said)) return { limit: 'batch' };
  if (blocks === 0) return undefined;
  const smaller = (count: number | undefined): count is number => count !== undefined && count > 0 && count < blocks;
  const named = namedMaximum(said);
  if (smaller(named)) return { limit: 'blocks', maxBlocks: named };
  // A suggested range holds for this place of the chain only, unless no number of results is the reason.
  const results = RESULTS_WORDS.test(said);
  const suggested = suggestedBlocks(said);
  if (smaller(suggested) && !results) return { limit: 'blocks', maxBlocks: suggested };
  if (results) return { limit: 'results' };
  if (BLOCKS_WORDS.test(said)) return { limit: 'blocks', maxBlocks: undefined };
  return RESULTS_CODES.has(code) ? { limit: 'results' } : undefined;
}
