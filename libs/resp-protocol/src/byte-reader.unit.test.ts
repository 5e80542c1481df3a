import { ByteReader } from './byte-reader';

describe('ByteReader', () => {
  it('keeps nothing when nothing is pending', () => {
    const reader = new ByteReader();
    reader.push(Buffer.from('PING\r\n'));
    expect(reader.readLine(10)?.toString()).toBe('PING');
    reader.settle();
    expect(reader.capacityBytes).toBe(0);
  });

  it('gives the storage of a large chunk back when only a little of it is left', () => {
    const reader = new ByteReader();
    reader.push(Buffer.from('ab'));
    reader.settle();
    reader.push(Buffer.concat([Buffer.alloc(1024 * 1024, 'x'), Buffer.from('\r\nrest')]));
    expect(reader.readLine(2 * 1024 * 1024)).toHaveLength(1024 * 1024 + 2);
    reader.settle();
    expect(reader.length).toBe(4);
    expect(reader.capacityBytes).toBeLessThanOrEqual(256);
  });

  it('does not depend on the chunk after settle', () => {
    const reader = new ByteReader();
    const chunk = Buffer.from('PI');
    reader.push(chunk);
    reader.settle();
    chunk.fill('x');
    reader.push(Buffer.from('NG\r\n'));
    expect(reader.readLine(10)?.toString()).toBe('PING');
  });

  it('copies and searches a dripped line a constant number of times per byte', () => {
    const size = 64 * 1024;
    const copy = jest.spyOn(Buffer.prototype, 'copy');
    const indexOf = jest.spyOn(Buffer.prototype, 'indexOf');
    const reader = new ByteReader();
    const byte = Buffer.from('x');
    for (let sent = 0; sent < size; sent++) {
      reader.push(byte);
      reader.readLine(size);
      reader.settle();
    }
    const copied = copy.mock.calls.reduce((sum, [, , start, end]) => sum + Number(end) - Number(start), 0);
    const searchedFrom = indexOf.mock.calls.map(([, from]) => from);
    jest.restoreAllMocks();
    expect(copied).toBeLessThan(2 * size);
    expect(copied).toBeGreaterThan(0);
    expect(searchedFrom).toEqual(Array.from({ length: size }, (_, index) => index));
  });
});
