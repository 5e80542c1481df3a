import { encodeAbiParameters, parseAbiParameters } from 'viem';
import type { Endpoint } from '../rpc/endpoint';
import { RpcFailure } from '../rpc/rpc-failure';
import { readAttestations } from './attestations';

const EAS = `0x${'4'.repeat(40)}`;
const UID = `0x${'ab'.repeat(32)}` as const;
const NOBODY = `0x${'0'.repeat(40)}` as const;
const NOTHING = `0x${'0'.repeat(64)}` as const;

const STRUCT = parseAbiParameters([
  'Attestation a',
  'struct Attestation { bytes32 uid; bytes32 schema; uint64 time; uint64 expirationTime; uint64 revocationTime; bytes32 refUID; address recipient; address attester; bool revocable; bytes data; }',
]);
const DATA = encodeAbiParameters(parseAbiParameters('string, uint8, string[], string'), ['1:7', 4, ['fast'], '']);

function stateWith(uid: `0x${string}`, data: `0x${string}`): string {
  const times = { time: 1n, expirationTime: 0n, revocationTime: 0n };
  const people = { recipient: NOBODY, attester: NOBODY, revocable: true };
  return encodeAbiParameters(STRUCT, [{ uid, schema: NOTHING, ...times, refUID: NOTHING, ...people, data }]);
}

type Answer = string | RpcFailure;

/** An endpoint whose state of the block, and then whose newest one, answers so. */
function read(ofBlock: Answer, newest: Answer) {
  const answers = [ofBlock, newest];
  const endpoint = {
    each: () => {
      const answer = answers.shift();
      return Promise.resolve([typeof answer === 'string' ? { value: answer } : answer]);
    },
  } as unknown as Endpoint;
  return readAttestations(endpoint, EAS, [{ uid: UID, blockNumber: 5 }], false, AbortSignal.timeout(20_000));
}

const isAway = new RpcFailure('refused', 'header not found');
const reverted = new RpcFailure('refused', 'execution reverted');
const has = stateWith(UID, DATA);
const hasNot = stateWith(NOTHING, '0x');

describe('readAttestations', () => {
  it('reads what was attested in the block, or in the newest one where that state is not kept', async () => {
    const attestation = { agentId: '1:7', score: 4, tags: ['fast'], context: '' };
    expect(await read(has, has)).toEqual([attestation]);
    expect(await read(isAway, has)).toEqual([attestation]);
    expect(await read(hasNot, has)).toEqual([attestation]);
  });

  it.each([isAway, hasNot])('never takes a state that lags for an attestation without a form', async (ofBlock) => {
    await expect(read(ofBlock, hasNot)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('knows what has another form, and what is no attestation service', async () => {
    expect(await read(stateWith(UID, '0x1234'), has)).toEqual([undefined]);
    expect(await read(reverted, reverted)).toEqual([undefined]);
  });
});
