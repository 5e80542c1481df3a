import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { closeServers, failure, FILE, never, NOW, read, readerOf, serve, V0 } from './world';

afterEach(closeServers);

describe('files in IPFS', () => {
  const gatewayOf = async (listener: RequestListener) => {
    const asked: string[] = [];
    const { origin, connections } = await serve((request, response) => {
      asked.push(request.url ?? '');
      listener(request, response);
    });
    return { origin, connections, asked, url: `${origin}/ipfs/` };
  };

  it('are read at the first gateway that has them', async () => {
    const missing = await gatewayOf((_request, response) => response.writeHead(504).end());
    const rubbish = await gatewayOf((_request, response) => response.end('<html>Please wait</html>'));
    const having = await gatewayOf((_request, response) => response.end(FILE));
    const unasked = await gatewayOf((_request, response) => response.end(FILE));
    const gateways = [missing, rubbish, having, unasked];
    const reader = readerOf(
      gateways.map(({ origin }) => origin),
      { ipfsGateways: gateways.map(({ url }) => url) },
    );
    for (const uri of [`ipfs://${V0}/a.json`, `${V0}/a.json`, `https://ipfs.io/ipfs/${V0}/a.json`]) {
      expect(await read(reader, uri)).toMatchObject({
        status: 'read',
        file: { name: 'Ann' },
        contentHash: expect.stringMatching(/^0x/),
      });
    }
    expect(gateways.map(({ asked }) => asked.length)).toEqual([3, 3, 3, 0]);
    expect(having.asked).toEqual(Array(3).fill(`/ipfs/${V0}/a.json`));
  });

  it('are read at the gateway of their URL first, where it is an uncommon one', async () => {
    const own = await gatewayOf((request, response) =>
      response.writeHead(request.url?.endsWith('1') === true ? 200 : 500).end(FILE),
    );
    const other = await gatewayOf((_request, response) => response.end(FILE));
    const reader = readerOf([own.origin, other.origin], { ipfsGateways: [other.url] });
    expect(await read(reader, `${own.url}${V0}?token=1`)).toMatchObject({ status: 'read' });
    expect(other.asked).toEqual([]);
    expect(await read(reader, `${own.url}${V0}?token=2`)).toMatchObject({ status: 'read' });
    expect(other.asked).toEqual([`/ipfs/${V0}`]);
    expect(own.asked).toEqual([`/ipfs/${V0}?token=1`, `/ipfs/${V0}?token=2`]);
  });

  it('are read at a private gateway that is not listed, of which nothing but gateway files is read', async () => {
    const other = await gatewayOf((_request, response) => response.end(FILE));
    const gateway = await gatewayOf((request, response) => {
      if (request.url?.endsWith('/away') === true) response.writeHead(302, { location: other.url }).end();
      else response.end(FILE);
    });
    const reader = readerOf([], { ipfsGateways: [gateway.url] });
    expect(await read(reader, `ipfs://${V0}/a.json`)).toMatchObject({ status: 'read', file: { name: 'Ann' } });
    for (const uri of [`${gateway.origin}/a.json`, gateway.url]) {
      expect(await read(reader, uri)).toMatchObject(failure('refused_address', false));
    }
    // The gateway is asked for the same file, not for whatever else a stranger's URL says.
    expect(await read(reader, `${gateway.url}${V0}?token=1`)).toMatchObject({ status: 'read' });
    expect(await read(reader, `ipfs://${V0}/away`)).toMatchObject(failure('refused_address', true));
    expect(gateway.asked).toEqual([`/ipfs/${V0}/a.json`, `/ipfs/${V0}`, `/ipfs/${V0}/away`]);
    expect(other.asked).toEqual([]);
  });

  it('share their time among gateways that say nothing, and may be tried again', async () => {
    const silent = await gatewayOf(() => undefined);
    const having = await gatewayOf((_request, response) => response.end(FILE));
    const missing = await gatewayOf((_request, response) => response.writeHead(404).end());
    const origins = [silent.origin, having.origin, missing.origin];
    const patient = readerOf(origins, { timeoutMs: 5_000, ipfsGateways: [silent.url, having.url] });
    expect(await read(patient, V0)).toMatchObject({ status: 'read' });
    const unlucky = readerOf(origins, { timeoutMs: 1_000, ipfsGateways: [missing.url, silent.url] });
    expect(await read(unlucky, V0)).toMatchObject(failure('http_status', true));
    expect(await read(readerOf([]), V0)).toMatchObject(failure('unreachable', true));
  });

  it('are read at the next gateway while one is busy here, which alone settles nothing', async () => {
    const slow = await gatewayOf(() => undefined);
    const named = (origin: string, name: string) => origin.replace('127.0.0.1', name);
    const having = await gatewayOf((request, response) =>
      response.writeHead(request.url?.endsWith('missing') === true ? 404 : 200).end(FILE),
    );
    const other = named(having.origin, 'gateway.example');
    const reader = readerOf([slow.origin, other], {
      ipfsGateways: [slow.url, `${other}/ipfs/`],
      maxConcurrentPerHost: 1,
      maxWaitingPerHost: 0,
      resolve: () => Promise.resolve(['127.0.0.1']),
    });
    const abort = new AbortController();
    const crowding = reader.read(`${slow.origin}/file`, abort.signal).catch(() => undefined);
    while (slow.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await read(reader, `ipfs://${V0}/a.json`)).toMatchObject({ status: 'read' });
    expect(await read(reader, `ipfs://${V0}/missing`)).toMatchObject(failure('busy', true));
    abort.abort();
    await crowding;
    expect(slow.asked).toEqual(['/file']);
  });

  it('are what their CID says, where it tells', async () => {
    const liar = await gatewayOf((_request, response) => response.end('{"name":"Eve"}'));
    const honest = await gatewayOf((_request, response) => response.end('{"name":"Ann"}'));
    const bytes = Buffer.concat([
      Buffer.from([1, 0x55, 0x12, 0x20]),
      createHash('sha256').update('{"name":"Ann"}').digest(),
    ]);
    const cid = `b${base32(bytes)}`;
    const origins = [liar.origin, honest.origin];
    expect(await read(readerOf(origins, { ipfsGateways: [liar.url, honest.url] }), `ipfs://${cid}`)).toMatchObject({
      status: 'read',
      file: { name: 'Ann' },
    });
    expect(await read(readerOf(origins, { ipfsGateways: [liar.url] }), `ipfs://${cid}`)).toMatchObject(
      failure('unreachable', true),
    );
  });

  it('fail for good where the file itself is at fault', async () => {
    const gateway = await gatewayOf((_request, response) => response.end('[]'));
    const missing = await gatewayOf((_request, response) => response.writeHead(404).end());
    const reader = readerOf([gateway.origin, missing.origin], { ipfsGateways: [gateway.url, missing.url] });
    expect(await read(reader, V0)).toMatchObject(failure('not_an_object', false));
  });

  it('pass by a gateway that failed five times in a row, for half a minute', async () => {
    let now = NOW;
    const dead = await gatewayOf((_request, response) => response.destroy());
    const alive = await gatewayOf((_request, response) => response.end(FILE));
    const reader = readerOf([dead.origin, alive.origin], { ipfsGateways: [dead.url, alive.url], now: () => now });
    for (let index = 0; index < 8; index += 1) {
      expect(await reader.read(V0, never)).toMatchObject({ status: 'read' });
    }
    expect(dead.asked).toHaveLength(5);
    now += 30_001;
    await reader.read(V0, never);
    expect(dead.asked).toHaveLength(6);
  });
});

function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = 'abcdefghijklmnopqrstuvwxyz234567';
  return (bits.match(/.{1,5}/g) ?? []).map((group) => letters[parseInt(group.padEnd(5, '0'), 2)]).join('');
}
