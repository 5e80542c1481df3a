import {
  attestationRevoked,
  attested,
  block,
  CHAIN_ID,
  CLIENT,
  feedback,
  HASH,
  hash32,
  OTHER,
  registration,
  revoked,
  type Said,
} from '../../test/samples';
import { told, WatchedChain } from '../../test/watched-chain';

let height = 1;
async function agentOnChain(tokenId = '1') {
  const chain = new WatchedChain();
  height = 1;
  await chain.apply([block(height, [registration(tokenId)])]);
  return chain;
}
const say = async (chain: WatchedChain, ...said: readonly Said[]) => told(await chain.apply([block(++height, [said])]));

describe('feedback', () => {
  it('is a change of the score and tells all of itself, in one event', async () => {
    const chain = await agentOnChain();
    const more = {
      valueDecimals: 1,
      tag1: 'starred',
      tag2: 'fast',
      endpoint: 'https://a.example.org',
      feedbackUri: 'ipfs://f',
    };
    expect(await say(chain, feedback('1', '1', '804', more))).toEqual([
      [
        'reputation_change',
        {
          previousScore: 0,
          newScore: 80,
          feedbackCount: 1,
          latestFeedback: { score: 80, tags: ['starred', 'fast'] },
          feedback: {
            source: 'registry',
            clientAddress: CLIENT,
            feedbackIndex: '1',
            value: '804',
            valueDecimals: 1,
            score: 80,
            isRating: true,
            tags: ['starred', 'fast'],
            endpoint: 'https://a.example.org',
            feedbackUri: 'ipfs://f',
            feedbackHash: HASH,
          },
        },
      ],
    ]);
    expect(await say(chain, feedback('1', '2', '61'), feedback('1', '3', '100'))).toMatchObject([
      ['reputation_change', { previousScore: 80, newScore: 70.5, feedbackCount: 2, latestFeedback: { tags: [] } }],
      ['reputation_change', { previousScore: 70.5, newScore: 80.33, feedbackCount: 3 }],
    ]);
  });

  it('that is a measurement changes no score', async () => {
    const chain = await agentOnChain();
    expect(await say(chain, feedback('1', '1', '1', { tag1: 'reachable', tag2: 'mcp' }))).toMatchObject([
      ['feedback_received', { feedback: { isRating: false, score: 1, tags: ['reachable', 'mcp'] } }],
    ]);
    expect(await say(chain, revoked('1', '1'))).toEqual([
      ['feedback_revoked', { clientAddress: CLIENT, feedbackIndex: '1' }],
    ]);
    expect((await chain.document('agent/1'))?.value).toMatchObject({ ratingSum: 0, ratingCount: 0 });
  });

  it('is taken back by its revocation, once', async () => {
    const chain = await agentOnChain();
    await say(chain, feedback('1', '1', '20'), feedback('1', '2', '90'));
    expect(await say(chain, revoked('1', '1'))).toEqual([
      ['feedback_revoked', { clientAddress: CLIENT, feedbackIndex: '1' }],
      ['reputation_change', { previousScore: 55, newScore: 90, feedbackCount: 1 }],
    ]);
    expect(await say(chain, revoked('1', '1'), revoked('1', '3'), revoked('2', '1'))).toEqual([]);
    expect(chain.ignored).toEqual({ revoked_already: 1, unknown_feedback: 1, unknown_agent: 1 });
    expect(await say(chain, revoked('1', '2'))).toMatchObject([
      {},
      ['reputation_change', { previousScore: 90, newScore: 0, feedbackCount: 0 }],
    ]);
  });

  it('of contracts 1.0.0, without an index, is counted for each client', async () => {
    const chain = await agentOnChain('0');
    const indexes = async (...said: readonly Said[]) =>
      (await say(chain, ...said)).map(([, data]) => (data['feedback'] as { feedbackIndex: string }).feedbackIndex);
    expect(await indexes(feedback('0', undefined, '1'), feedback('0', undefined, '2'))).toEqual(['1', '2']);
    expect(await indexes(feedback('0', undefined, '3', { client: OTHER }), feedback('0', undefined, '4'))).toEqual([
      '1',
      '3',
    ]);
    expect(await say(chain, revoked('0', '2'))).toHaveLength(2);
    expect((await chain.document('agent/0'))?.value).toMatchObject({ ratingSum: 8, ratingCount: 3 });
  });

  it('of unknown agents, twice, or malformed, is ignored', async () => {
    const chain = await agentOnChain();
    expect(
      await say(
        chain,
        feedback('2', '1', '1'),
        feedback('1', '1', '1e3'),
        feedback('1', 'x', '1'),
        feedback('1', '1', '1', { valueDecimals: 256 }),
      ),
    ).toEqual([]);
    expect(await say(chain, feedback('1', '1', '1'), feedback('1', '1', '1'))).toHaveLength(1);
    expect(chain.ignored).toEqual({ unknown_agent: 1, malformed_fact: 3, duplicate_feedback: 1 });
  });

  it('may be responded to', async () => {
    const chain = await agentOnChain();
    const response = (feedbackIndex: string, tokenId = '1'): Said => ({
      kind: 'response_appended',
      tokenId,
      client: CLIENT,
      feedbackIndex,
      responder: OTHER,
      responseUri: 'ipfs://r',
      responseHash: HASH,
    });
    await say(chain, feedback('1', '1', '1'));
    expect(await say(chain, response('1'), response('2'), response('1', '5'))).toEqual([
      [
        'feedback_response',
        { clientAddress: CLIENT, feedbackIndex: '1', responder: OTHER, responseUri: 'ipfs://r', responseHash: HASH },
      ],
    ]);
    expect(chain.ignored).toEqual({ unknown_feedback: 1, unknown_agent: 1 });
  });
});

describe('attestations', () => {
  it('are ratings of 1 to 5, beside an event of their own', async () => {
    const chain = await agentOnChain();
    expect(await say(chain, attested(1, `${CHAIN_ID}:1`, 4, ['reliable', '']))).toEqual([
      ['new_attestation', { attestationUid: hash32(1), attester: OTHER, score: 75, tags: ['reliable'] }],
      [
        'reputation_change',
        {
          previousScore: 0,
          newScore: 75,
          feedbackCount: 1,
          latestFeedback: { score: 75, tags: ['reliable'] },
          feedback: {
            source: 'eas',
            clientAddress: OTHER,
            attestationUid: hash32(1),
            score: 75,
            isRating: true,
            tags: ['reliable'],
          },
        },
      ],
    ]);
    await say(chain, feedback('1', '1', '25'));
    expect(await say(chain, attestationRevoked(1))).toEqual([
      ['attestation_revoked', { attestationUid: hash32(1), attester: OTHER }],
      ['reputation_change', { previousScore: 50, newScore: 25, feedbackCount: 1 }],
    ]);
  });

  it('are revoked in the transaction that makes them, too', async () => {
    const chain = await agentOnChain();
    const events = await say(chain, attested(1, `${CHAIN_ID}:1`, 5), attestationRevoked(1));
    expect(events.map(([type]) => type)).toEqual([
      ...['new_attestation', 'reputation_change', 'attestation_revoked', 'reputation_change'],
    ]);
  });

  it('of other chains, of unknown agents, malformed or repeated, are ignored', async () => {
    const chain = await agentOnChain();
    const id = `${CHAIN_ID}:1`;
    await say(chain, attested(1, id, 1));
    expect(
      await say(
        chain,
        attested(2, '1:1', 5),
        attested(3, `${CHAIN_ID}:2`, 5),
        attested(4, `${CHAIN_ID}:01`, 5),
        attested(5, 'agent', 5),
        { kind: 'attested', uid: hash32(6), attester: OTHER },
        attested(7, id, 0),
        attested(8, id, 6),
        attested(1, id, 5),
        attestationRevoked(7),
        attestationRevoked(1),
        attestationRevoked(1),
      ),
    ).toHaveLength(2);
    expect(chain.ignored).toEqual({
      foreign_attestation: 1,
      unknown_agent: 1,
      malformed_attestation: 3,
      attestation_score_out_of_range: 2,
      duplicate_attestation: 1,
      unknown_attestation: 1,
      revoked_already: 1,
    });
  });
});

describe('validations', () => {
  it('are told of', async () => {
    const chain = await agentOnChain();
    const requested: Said = {
      kind: 'validation_requested',
      tokenId: '1',
      validator: OTHER,
      requestUri: 'ipfs://q',
      requestHash: HASH,
    };
    const responded: Said = {
      kind: 'validation_responded',
      tokenId: '1',
      validator: OTHER,
      requestHash: HASH,
      response: 100,
      responseUri: '',
      responseHash: HASH,
      tag: 'hard',
    };
    expect(
      await say(
        chain,
        requested,
        responded,
        { ...requested, tokenId: '2' },
        { ...responded, tokenId: '2' },
        { ...responded, response: 256 },
      ),
    ).toEqual([
      ['validation_requested', { validator: OTHER, requestUri: 'ipfs://q', requestHash: HASH }],
      [
        'validation_responded',
        { validator: OTHER, requestHash: HASH, response: 100, responseUri: '', responseHash: HASH, tag: 'hard' },
      ],
    ]);
    expect(chain.ignored).toEqual({ unknown_agent: 2, malformed_fact: 1 });
  });
});
