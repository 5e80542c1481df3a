import fc from 'fast-check';
import { initializeRequest, judgeMessage, MCP_PROTOCOL_VERSION } from './mcp-message';

const result = (id: unknown) => ({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-03-26' } });
const error = (id: unknown, code: number) => ({ jsonrpc: '2.0', id, error: { code, message: 'no' } });

it('asks to initialize, with a version and without capabilities', () => {
  expect(JSON.parse(initializeRequest(7))).toEqual({
    jsonrpc: '2.0',
    id: 7,
    method: 'initialize',
    params: {
      protocolVersion: MCP_PROTOCOL_VERSION,
      capabilities: {},
      clientInfo: { name: expect.any(String), title: expect.any(String), version: expect.any(String) },
    },
  });
});

it.each<[string, unknown, object]>([
  ['a result', result(7), { kind: 'initialized', protocolVersion: '2025-03-26' }],
  ['a result to another request', result(8), { kind: 'wrong_id' }],
  ['a result to no request', result(null), { kind: 'other' }],
  ['an error', error(7, -32_602), { kind: 'json_rpc_error' }],
  ['an error to none', error(null, -32_000), { kind: 'json_rpc_error' }],
  ['an error without an id', error(undefined, -32_000), { kind: 'json_rpc_error' }],
  ['an error to another request', error(8, -32_000), { kind: 'wrong_id' }],
  ['an unknown method', error(7, -32_601), { kind: 'other' }],
  ['our own request', JSON.parse(initializeRequest(7)), { kind: 'other' }],
  ['a batch', [error(8, 1), result(7)], { kind: 'initialized', protocolVersion: '2025-03-26' }],
  ['a batch without an answer', [{}, result(8)], { kind: 'wrong_id' }],
  ['an empty batch', [], { kind: 'other' }],
  ['a batch without an end, as far as it is looked at', [...Array<object>(20).fill({}), result(7)], { kind: 'other' }],
])('judges %s', (_, message, judged) => {
  expect(judgeMessage(message, 7)).toEqual(judged);
});

it('judges whatever a server may say, without an error', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(), (message, id) => {
      expect(judgeMessage(message, id)).not.toMatchObject({ kind: 'initialized' });
    }),
  );
});
