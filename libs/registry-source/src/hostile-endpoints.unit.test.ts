import type { ServerResponse } from 'node:http';
import { ScriptedChain, registration } from './testing/scripted-chain';
import type { Script } from './testing/scripted-rpc';
import { SourceFixture, until } from './testing/source-fixture';

const fixture = new SourceFixture();
afterEach(() => fixture.stop());

const chain = new ScriptedChain().addEmpty(2);
chain.add(registration(1));

const CHUNK = Buffer.alloc(64 * 1024, 0x20);

/** Writes blanks for as long as anybody reads. */
function writeEndlessly(response: ServerResponse): void {
  response.writeHead(200);
  const more = (): void => {
    while (!response.destroyed && response.write(CHUNK));
  };
  response.on('drain', more);
  more();
}

function raw(status: number, body: string, headers: Record<string, string> = {}): Script {
  return {
    respond: (response) => {
      response.writeHead(status, headers).end(body);
      return true;
    },
  };
}

/** A result of the wrong type for every call but that for the chain's id. */
const wrongResult = (result: unknown): Script => ({
  answer: (call, honest) => (call.method === 'eth_chainId' ? honest() : result),
});

const changedLog = (change: object): Script => ({
  answer: (call, honest) =>
    call.method === 'eth_getLogs' ? (honest() as object[]).map((log) => ({ ...log, ...change })) : honest(),
});

describe('endpoints that misbehave', () => {
  const cases: readonly (readonly [what: string, script: Script, outcome: string])[] = [
    ['never answers', { respond: () => true }, 'timeout'],
    [
      'answers without an end',
      {
        respond: (response) => {
          writeEndlessly(response);
          return true;
        },
      },
      'too_large',
    ],
    [
      'answers one byte and no more',
      {
        respond: (response) => {
          response.writeHead(200);
          response.write('{');
          return true;
        },
      },
      'timeout',
    ],
    ['answers half', raw(200, '{"jsonrpc":"2.0","id":0,"res'), 'invalid'],
    ['answers a page', raw(200, '<html>It works!</html>'), 'invalid'],
    ['answers null', raw(200, 'null'), 'invalid'],
    ['answers a list of nothing', raw(200, '[]'), 'invalid'],
    ['answers neither result nor error', raw(200, '{"jsonrpc":"2.0","id":0}'), 'invalid'],
    ['answers with an error that is a text', raw(200, '{"id":0,"error":"no"}'), 'refused'],
    ['fails', raw(503, 'down for maintenance'), 'unavailable'],
    ['forbids', raw(403, 'no'), 'refused'],
    ['redirects', raw(307, '', { location: 'http://127.0.0.1:9/' }), 'unavailable'],
    ['has too many requests', raw(429, 'slower', { 'retry-after': '1' }), 'rate_limited'],
    ['answers a number for a block', wrongResult(7), 'invalid'],
    ['answers a text for a block', wrongResult('0xzz'), 'invalid'],
    ['answers an empty block', wrongResult({}), 'invalid'],
    [
      'answers logs that are no list',
      { answer: (call, honest) => (call.method === 'eth_getLogs' ? {} : honest()) },
      'invalid',
    ],
    ['answers logs of wrong types', changedLog({ topics: [1, 2] }), 'invalid'],
    ['answers logs with odd data', changedLog({ data: '0x123' }), 'invalid'],
    ['answers logs with data that is no hex', changedLog({ data: '0xzz' }), 'invalid'],
    ['answers logs with enormous numbers', changedLog({ logIndex: `0x${'f'.repeat(30)}` }), 'invalid'],
    [
      'answers logs with five topics',
      changedLog({ topics: Array.from({ length: 5 }, () => `0x${'0'.repeat(64)}`) }),
      'invalid',
    ],
    ['answers logs that were removed', changedLog({ removed: true }), 'invalid'],
  ];

  it.each(cases)('goes on with another one when one %s', async (_what, script, outcome) => {
    const bad = await fixture.endpoint(chain, script);
    await fixture.endpoint(chain);
    const source = fixture.source({ agreement: 1 }, { maxResponseBytes: 1024 * 1024 });
    const { blocks } = await source.readHistory(0, 2);
    expect(blocks.flatMap(({ facts }) => facts)).toHaveLength(1);
    expect(bad.calls.length).toBeGreaterThan(0);
    const host = new URL(bad.url).host;
    await until(() => fixture.told.requested.some((told) => told.endpoint === `${host}#1` && told.outcome === outcome));
  });

  it.each([
    ['logs of other blocks', { blockNumber: '0x63' }],
    ['logs of other contracts', { address: `0x${'9'.repeat(40)}` }],
    ['logs of other events', { topics: [`0x${'9'.repeat(64)}`] }],
  ])('does not take %s', async (_what, change) => {
    await fixture.endpoint(chain, changedLog(change));
    await fixture.endpoint(chain);
    const { blocks } = await fixture.source({ agreement: 1 }).readHistory(0, 2);
    expect(blocks.flatMap(({ facts }) => facts)).toMatchObject([{ kind: 'registered' }]);
  });

  it('does not take doubled logs', async () => {
    await fixture.endpoint(chain, {
      answer: (call, honest) => {
        const logs = honest() as unknown[];
        return call.method === 'eth_getLogs' ? [...logs, ...logs] : logs;
      },
    });
    await fixture.endpoint(chain);
    const { blocks } = await fixture.source({ agreement: 1 }).readHistory(0, 2);
    expect(blocks.flatMap(({ facts }) => facts)).toHaveLength(1);
  });

  it('skips and counts logs that do not have the form of their event', async () => {
    const broken = new ScriptedChain().addEmpty(1);
    broken.add({ ...registration(1), data: '0x01' }, registration(2));
    await fixture.endpoint(broken);
    const { blocks } = await fixture.source().readHistory(0, 1);
    expect(blocks.flatMap(({ facts }) => facts)).toMatchObject([{ kind: 'registered', tokenId: '2' }]);
    expect(fixture.told.undecodable).toEqual([{ count: 1 }]);
  });

  it('hands a user of the URL over in a header, and never names a path', async () => {
    const rpc = await fixture.endpoint(chain);
    const seen: (string | undefined)[] = [];
    rpc.script = { respond: (response) => seen.push(response.req.headers.authorization) < 0 };
    const url = new URL(rpc.url);
    url.username = 'me';
    url.password = 'p@ss';
    url.pathname = '/v2/secret-key';
    const source = fixture.source({ rpcUrls: [url.href] });
    await source.head();
    expect(seen[0]).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
    expect(JSON.stringify(fixture.told.requested)).not.toMatch(/secret|me:/);
    rpc.script = raw(500, 'no');
    await expect(source.header(1)).rejects.toThrow(/HTTP status 500/);
    await expect(source.header(1)).rejects.not.toThrow(/secret/);
  });
});
