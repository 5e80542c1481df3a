import fc from 'fast-check';
import { anyPlaces, cut, drip, protocolNoise } from '../test/chunks';
import { CommandParser, type CommandOutput } from './command-parser';
import { encodeArray, encodeBulk } from './encode-resp';
import type { CommandLimits } from './limits';

const TIGHT: CommandLimits = { maxLineBytes: 24, maxWords: 3, maxBulkBytes: 12, maxCommandBytes: 40 };

function feedAll(chunks: readonly Uint8Array[], limits?: Partial<CommandLimits>): CommandOutput[] {
  const parser = new CommandParser(limits);
  return chunks.flatMap((chunk) => parser.feed(chunk));
}

describe('CommandParser, fuzzed', () => {
  it('gives the same for every cutting of the bytes', () => {
    fc.assert(
      fc.property(protocolNoise, fc.boolean(), anyPlaces, (noise, asResp, places) => {
        const bytes = Buffer.concat([Buffer.from(asResp ? '*' : ''), noise]);
        for (const limits of [undefined, TIGHT]) {
          const whole = feedAll([bytes], limits);
          expect(feedAll(cut(bytes, places), limits)).toEqual(whole);
          expect(feedAll(drip(bytes), limits)).toEqual(whole);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('never throws, never keeps more than the limits, and ends at the first error', () => {
    fc.assert(
      fc.property(protocolNoise, fc.uint8Array({ maxLength: 200 }), anyPlaces, (noise, raw, places) => {
        const parser = new CommandParser(TIGHT);
        const kinds: string[] = [];
        for (const chunk of cut(Buffer.concat([noise, raw]), places)) {
          kinds.push(...parser.feed(chunk).map(({ kind }) => kind));
          expect(parser.bufferedBytes).toBeLessThanOrEqual(TIGHT.maxCommandBytes);
        }
        expect(kinds.indexOf('error')).toBe(parser.failed ? kinds.length - 1 : -1);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads back any RESP command', () => {
    const words = fc.array(fc.string({ unit: 'grapheme', maxLength: 30 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 5 }), anyPlaces, (commands, places) => {
        const bytes = Buffer.concat(commands.map((command) => encodeArray(command.map((word) => encodeBulk(word)))));
        const read = feedAll(cut(bytes, places)).map((output) => output.kind === 'command' && output.args);
        expect(read).toEqual(commands.map((command) => command.slice(1)));
      }),
    );
  });

  it('keeps little for a large command that comes byte by byte', () => {
    const parser = new CommandParser();
    const outputs = drip(Buffer.from(`*2\r\n$4\r\nPING\r\n$65536\r\n${'x'.repeat(65536)}\r\n`)).flatMap((chunk) => {
      const output = parser.feed(chunk);
      if (parser.bufferedBytes > 128 * 1024) throw new Error('kept too much');
      return output;
    });
    expect(outputs).toMatchObject([{ name: 'PING' }]);
  });
});
