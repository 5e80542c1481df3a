import { MAX_ALLOWED_ORIGINS, parsePrivateAllowList } from './private-allow-list';

const allowed = (list: string | readonly string[], ...urls: readonly string[]): readonly string[] =>
  urls.filter((url) => parsePrivateAllowList(list).allows(new URL(url)));

describe('parsePrivateAllowList', () => {
  it('lets in exactly the scheme, host and port that is listed', () => {
    const urls = [
      'http://127.0.0.1:9000/a?b',
      'https://127.0.0.1:9000/',
      'http://127.0.0.1:9001/',
      'http://127.0.0.2:9000/',
      'http://localhost:9000/',
      'http://127.0.0.1.nip.test:9000/',
      'http://127.0.0.1/',
    ];
    expect(allowed('http://127.0.0.1:9000', ...urls)).toEqual(['http://127.0.0.1:9000/a?b']);
  });

  it('takes a host with a port for both schemes, and lists of any kind', () => {
    const urls = [
      'http://minio:9000/',
      'https://minio:9000/',
      'http://minio/',
      'https://[::1]:8443/',
      'http://a.test/',
    ];
    const expected = ['http://minio:9000/', 'https://minio:9000/', 'https://[::1]:8443/', 'http://a.test/'];
    expect(allowed(' minio:9000, ,[::1]:8443 ,http://a.test:80/', ...urls)).toEqual(expected);
    expect(allowed(['minio:9000', '[::1]:8443', 'http://a.test'], ...urls)).toEqual(expected);
  });

  it('lists nothing by default', () => {
    expect(allowed('', 'http://127.0.0.1/')).toEqual([]);
    expect(allowed([], 'http://127.0.0.1/')).toEqual([]);
  });

  it.each([
    'minio',
    '*',
    '10.0.0.0/8',
    'http://',
    'http://a.test/path',
    'http://a.test?x',
    'http://u:p@a.test',
    'ftp://a.test:21',
    'u@a.test:80',
    'a.test/x:80',
    'a.test:99999',
  ])('refuses the entry %s', (entry) => {
    expect(() => parsePrivateAllowList(`http://ok.test,${entry}`)).toThrow(
      expect.objectContaining({ code: 'configuration', message: expect.stringContaining(`"${entry}"`) }),
    );
  });

  it('is bounded (G9)', () => {
    const entries = Array.from({ length: MAX_ALLOWED_ORIGINS + 1 }, (_, index) => `http://h${index}.test`);
    expect(() => parsePrivateAllowList(entries)).toThrow(expect.objectContaining({ code: 'configuration' }));
  });
});
