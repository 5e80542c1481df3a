import type { HostileBody, NewMark } from './malformed-kinds';

const BOUNDARY = 'malformed-boundary';
const MANY = 5_000;
const LONG = 40_000;

const part = (head: string, content: string): string => `--${BOUNDARY}\r\n${head}\r\n\r\n${content}\r\n`;
const END = `--${BOUNDARY}--\r\n`;
const file = (name: string, content = 'x', type = 'text/plain'): string =>
  part(`Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${type}`, content);
const field = (name: string, value: string): string => part(`Content-Disposition: form-data; name="${name}"`, value);

/** Forms that are broken, or hold what no file and no name is. */
export function brokenForms(newMark: NewMark): readonly HostileBody[] {
  const form = (
    name: string,
    make: (mark: string) => string | Buffer,
    isNoBody: boolean,
    type?: string,
  ): HostileBody => {
    const mark = newMark();
    const contentType = type ?? `multipart/form-data; boundary=${BOUNDARY}`;
    return { name, mark, bytes: make(mark), isNoBody, headers: { 'content-type': contentType } };
  };
  return [
    form('nothing', () => '', true),
    form('no boundary in the type', (mark) => `${file(mark)}${END}`, true, 'multipart/form-data'),
    form('another boundary', (mark) => `${file(mark)}${END}`, true, 'multipart/form-data; boundary=another'),
    form(
      'a boundary that is too long',
      (mark) => `${file(mark)}${END}`,
      true,
      `multipart/form-data; boundary=${'x'.repeat(LONG / 10)}`,
    ),
    form('JSON', (mark) => JSON.stringify({ file: mark }), true, 'application/json'),
    form('no type', (mark) => `${file(mark)}${END}`, true, ''),
    form('no end', (mark) => file(mark, mark.repeat(100)), true),
    form('no file', (mark) => `${field('other', mark)}${END}`, true),
    form('two files', (mark) => `${file(mark)}${file(mark)}${END}`, true),
    form('many files', (mark) => `${file(mark).repeat(MANY)}${END}`, true),
    form('many fields', (mark) => `${field(mark, mark).repeat(MANY)}${file(mark)}${END}`, true),
    form(
      'a field that is too long',
      (mark) => `${field('expires_in_seconds', mark.repeat(LONG))}${file(mark)}${END}`,
      true,
    ),
    form(
      'a head that is too long',
      (mark) =>
        `${part(`Content-Disposition: form-data; name="file"; filename="${mark}"\r\nX-Long: ${'x'.repeat(LONG)}`, 'x')}${END}`,
      false,
    ),
    form('a part without a head', (mark) => `${part(`X: ${mark}`, 'x')}${END}`, true),
    form('a time to live that is none', (mark) => `${field('expires_in_seconds', mark)}${file(mark)}${END}`, true),
    form('a time to live without end', (mark) => `${field('expires_in_seconds', '1e999')}${file(mark)}${END}`, true),
    form('a prototype', (mark) => `${field('__proto__', mark)}${file(mark)}${END}`, false),
    form('a name with a path', (mark) => `${file(`../../../../tmp/${mark}`)}${END}`, false),
    form('a name with NUL', (mark) => `${file(`${mark}\u0000.txt`)}${END}`, false),
    form('a name with a line break', (mark) => `${file(`${mark}\r\nX-Injected: yes`)}${END}`, false),
    form('a name that is no UTF-8', (mark) => Buffer.from(`${file(`${mark}\u00ff\u00fe`)}${END}`, 'latin1'), false),
    form('a name that is too long', (mark) => `${file(`${mark}${'x'.repeat(4_000)}`)}${END}`, false),
    form('no name', () => `${file('')}${END}`, false),
    form('a type that is none', (mark) => `${file(mark, 'x', `\u0007${'x'.repeat(2_000)}`)}${END}`, false),
  ];
}
