import type { LimitWording } from './faulty-rpc';
import type { Random } from './random';

interface LimitError {
  readonly code: number;
  readonly message: string;
}

const WORDINGS: readonly LimitWording[] = ['range', 'too_wide', 'results', 'response_size', 'http_413'];

/** How providers of RPC say that a request for logs is too large, each in its own way. */
export function limitAnswer(
  wording: LimitWording | undefined,
  fromBlock: number,
  limit: number,
  random: Random,
): LimitError | 'too_large' {
  const chosen = wording ?? WORDINGS[Math.floor(random() * WORDINGS.length)] ?? 'range';
  const range = `[0x${fromBlock.toString(16)}, 0x${(fromBlock + limit - 1).toString(16)}]`;
  switch (chosen) {
    case 'range':
      return { code: -32_614, message: `eth_getLogs is limited to a ${limit} range` };
    case 'too_wide':
      return { code: -32_600, message: 'block range is too wide' };
    case 'results':
      return {
        code: -32_005,
        message: `query returned more than 10000 results. Try with this block range ${range}.`,
      };
    case 'response_size':
      return {
        code: -32_602,
        message:
          `Log response size exceeded. You can make eth_getLogs requests with up to a ${limit} block range. ` +
          `Based on your parameters, this block range should work: ${range}`,
      };
    case 'http_413':
      return 'too_large';
  }
}
