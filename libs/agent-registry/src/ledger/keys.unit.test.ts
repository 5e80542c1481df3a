import {
  attestationRevoked,
  attested,
  block,
  CHAIN_ID,
  CLIENT,
  feedback,
  hash32,
  registration,
  revoked,
} from '../../test/samples';
import { WatchedChain } from '../../test/watched-chain';
import { applyBlocks, encodeDraft, readDocumentsOf } from '..';
import { documentKeysOf, followUpKeysOf } from './keys';
import { eventIdOf } from './ledger-run';

const CONTEXT = { chainId: CHAIN_ID, nowMs: 0, classifierAvailable: false, fileReReadIntervalMs: 1, journalFrom: 0 };

describe('the documents of blocks', () => {
  it('are those of their facts, each once, and none of a block without facts', () => {
    expect(documentKeysOf(CHAIN_ID, [block(1, [])])).toEqual([]);
    const blocks = [
      block(2, [registration('0'), [feedback('0', '1', '5'), feedback('0', undefined, '5'), revoked('0', '1')]]),
    ];
    expect([...documentKeysOf(CHAIN_ID, blocks)].sort()).toEqual(
      [
        ...['agent/0', 'class/0', 'file/0', 'reach/0', `client/0/${CLIENT}`, `feedback/0/${CLIENT}/1`],
        `reverted/${blocks[0]?.hash}`,
      ].sort(),
    );
  });

  it('are read in two requests where an attestation is revoked whose agent nothing else names', async () => {
    const chain = new WatchedChain();
    await chain.apply([block(1, [registration('0'), [attested(1, `${CHAIN_ID}:0`, 5)]])]);
    const blocks = [block(2, [[attestationRevoked(1)]])];
    const documents = await chain.store.read(CHAIN_ID, documentKeysOf(CHAIN_ID, blocks));
    expect([...documents.keys()]).toEqual([`attestation/${hash32(1)}`]);
    expect(followUpKeysOf(documents, blocks)).toEqual(['agent/0']);
    expect([...(await readDocumentsOf(chain.store, CHAIN_ID, blocks)).keys()].sort()).toEqual([
      'agent/0',
      `attestation/${hash32(1)}`,
    ]);
    expect(() => applyBlocks(documents, blocks, CONTEXT)).toThrow(expect.objectContaining({ code: 'internal' }));
  });
});

describe('encodeDraft', () => {
  const [draft] = applyBlocks(new Map(), [block(1, [registration('0')])], CONTEXT).drafts;
  if (draft === undefined) throw new Error('no draft');

  it('makes an envelope of the public workspace, with an id of agent and key', () => {
    expect(encodeDraft(draft).event).toMatchObject({
      id: eventIdOf(draft),
      family: 'registry',
      entityId: `${CHAIN_ID}:0`,
      workspaceId: 0,
      schemaVersion: 1,
      data: draft.data,
    });
  });

  it('refuses what is not as its type says', () => {
    expect(() => encodeDraft({ ...draft, data: { ...draft.data, owner: 'nobody' } })).toThrow(
      expect.objectContaining({ code: 'invalid_event', where: `${CHAIN_ID}:0` }),
    );
  });
});
