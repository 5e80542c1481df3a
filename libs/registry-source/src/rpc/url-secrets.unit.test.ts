import { decodeAnswers } from './json-rpc';
import { hiderOf } from './url-secrets';

const URL_WITH_KEYS = 'https://some%20body:pass-word-1@rpc.example/v2/SECRETKEY12?token=QUERYKEY34&chain=base';

describe('hiderOf', () => {
  it.each([
    ['project not found for /v2/SECRETKEY12', 'project not found for /v2/…'],
    ['QUERYKEY34 and SECRETKEY12, SECRETKEY12', '… and …, …'],
    ['user some body has pass-word-1', 'user … has …'],
    ['chain base has no v2', 'chain base has no v2'],
  ])('makes of %j: %j', (text, hidden) => expect(hiderOf(URL_WITH_KEYS)(text)).toBe(hidden));

  it('takes the key out of what an endpoint says, also where its message is cut', () => {
    const message = `${'x'.repeat(195)}SECRETKEY12`;
    const answers = decodeAnswers(
      [{ method: 'eth_chainId', params: [] }],
      { id: 0, error: { code: -32_000, message } },
      hiderOf(URL_WITH_KEYS),
    );
    expect(String((answers[0] as Error).message)).not.toContain('SECR');
  });
});
