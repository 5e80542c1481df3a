import type { Readable } from 'node:stream';

export interface FirstLinesOptions {
  /** Of more lines, those beyond are dropped. */
  readonly maxLines: number;
  /** Of a longer line, what is beyond so many characters is dropped. */
  readonly maxLineLength: number;
  readonly onLine: (line: string) => void;
}

/** Reads a stream to its end and tells its first lines; it holds no more than one of them, and the writer never waits. */
export function tellFirstLines(stream: Readable, { maxLines, maxLineLength, onLine }: FirstLinesOptions): void {
  let told = 0;
  let held = '';
  let isBegun = false;
  let isTold = false;

  const tell = () => {
    if (!isTold && told < maxLines) {
      told++;
      onLine(held.endsWith('\r') ? held.slice(0, -1) : held);
    }
    held = '';
  };
  const add = (text: string) => {
    if (text === '') return;
    isBegun = true;
    if (isTold || told >= maxLines) return;
    held += text.slice(0, maxLineLength - held.length);
    if (held.length < maxLineLength) return;
    tell();
    // Its rest is dropped.
    isTold = true;
  };

  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    let from = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', from)) {
      add(chunk.slice(from, end));
      tell();
      [isBegun, isTold] = [false, false];
      from = end + 1;
      if (told >= maxLines) return;
    }
    add(chunk.slice(from));
  });
  stream.on('end', () => {
    if (isBegun) tell();
  });
  // What broke off has ended.
  stream.on('error', () => undefined);
}
