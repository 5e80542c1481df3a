import { gatewayUrlOf, ipfsPathOf } from './ipfs';

const V0 = 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPG7X';
const V1 = 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';

describe('ipfsPathOf', () => {
  it.each([
    [`ipfs://${V0}`, V0, ''],
    [`IPFS://${V1}/agent.json`, V1, '/agent.json'],
    [`ipfs://ipfs/${V0}/a/b c.json`, V0, '/a/b%20c.json'],
    [`ipfs:/ipfs/${V0}`, V0, ''],
    [`ipfs:${V1}`, V1, ''],
    [`ipfs://${V1}/ä%20ö.json?x=1#y`, V1, '/%C3%A4%20%C3%B6.json'],
    [
      'ipfs://bagaaierasords4njcts6vs7qvdjfcvgnume4hqohf65zsfguprqphs3icwea',
      'bagaaierasords4njcts6vs7qvdjfcvgnume4hqohf65zsfguprqphs3icwea',
      '',
    ],
    [V0, V0, ''],
    [`${V1}/a`, V1, '/a'],
    [`/ipfs/${V1}`, V1, ''],
    [`https://ipfs.io/ipfs/${V0}/a?filename=b`, V0, '/a'],
    [`https://cloudflare-ipfs.com/ipfs/${V1}/`, V1, '/'],
    [`https://${V1}.ipfs.dweb.link/`, V1, ''],
    [`https://${V1}.ipfs.w3s.link/agent.json`, V1, '/agent.json'],
  ])('reads %s', (uri, cid, path) => {
    expect(ipfsPathOf(uri)).toEqual({ cid, path });
  });

  it.each([`https://mine.mypinata.cloud/ipfs/${V0}/a?token=b`, `http://${V1}.ipfs.localhost:8080/`])(
    'keeps the gateway that may be the only one to have %s',
    (uri) => {
      expect(ipfsPathOf(uri)?.ownGateway).toBe(uri);
    },
  );

  it.each([
    ...[
      '',
      'agent',
      'https://a.test/agent.json',
      'https://ipfs.io/ipns/a.test',
      'ipns://a.test',
      'ipfs://',
      'ipfs://short',
    ],
    ...[
      `x${V0}`,
      `${V0}x`,
      V1.toUpperCase(),
      `https://a.test/x/ipfs/${V0}`,
      `https://a.test/?u=/ipfs/${V0}`,
      'ar://abc',
    ],
  ])('leaves alone %j', (uri) => {
    expect(ipfsPathOf(uri)).toBeUndefined();
  });

  it.each(['/../../api/v0/shutdown', '/%2e%2e/x', '/..%2f..%2fapi', '/a/./b', '/a%5cb', '/a\\..\\b', '/%2E%2E%2Fx'])(
    'is not led out of the CID by %s',
    (path) => {
      expect(ipfsPathOf(`ipfs://${V0}${path}`)).toBeUndefined();
      expect(ipfsPathOf(`${V0}${path}`)).toBeUndefined();
      const kept = ipfsPathOf(`https://ipfs.io/ipfs/${V0}${path}`)?.path ?? '';
      expect(decodeURIComponent(kept)).not.toMatch(/\.\.|\\/);
    },
  );

  it.each(['/%', '/%zz', '/\ud800', '/ \n', '/%00', '/?', '/#', '/'.repeat(2_000)])(
    'gives what is a URL behind each gateway, even of %j',
    (path) => {
      const ipfs = ipfsPathOf(`ipfs://${V1}${path}`);
      for (const gateway of ['https://ipfs.io/ipfs/', 'https://gateway.test/ipfs']) {
        expect(ipfs === undefined || new URL(gatewayUrlOf(ipfs, gateway)).pathname.startsWith(`/ipfs/${V1}`)).toBe(
          true,
        );
      }
    },
  );
});
