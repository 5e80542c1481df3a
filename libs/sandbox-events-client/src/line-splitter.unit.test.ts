import { LineSplitter } from './line-splitter';

function linesOf(splitter: LineSplitter): string[] {
  const lines: string[] = [];
  for (let line = splitter.next(); line !== undefined; line = splitter.next()) lines.push(line);
  return lines;
}

it('gives the same lines however the bytes are cut', () => {
  const bytes = Buffer.from('+OK\r\n{"t":"a\\nb é 😀"}\r\n\r\nno\nend\rhere\r\nrest');
  for (let size = 1; size <= bytes.length; size += 1) {
    const splitter = new LineSplitter();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      splitter.push(bytes.subarray(at, at + size));
      lines.push(...linesOf(splitter));
    }
    expect(lines).toEqual(['+OK', '{"t":"a\\nb é 😀"}', '', 'no\nend\rhere']);
  }
});

it('bounds one line, not a burst of many', () => {
  const splitter = new LineSplitter(10);
  splitter.push(Buffer.from('0123456789\r\n'.repeat(100)));
  expect(linesOf(splitter)).toHaveLength(100);
  splitter.push(Buffer.from('0123456789a'));
  expect(() => splitter.next()).toThrow('Buffer overflow');
  splitter.push(Buffer.from('0123456789a\r\n'));
  expect(() => splitter.next()).toThrow('Buffer overflow');
});
