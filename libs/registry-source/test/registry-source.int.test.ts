import { chainConfigSchema, type ChainBlock, type ChainFact } from '@sluice/agent-registry';
import type { Address, DeployedRegistries, LocalChain } from '@sluice/local-chain';
import { createRegistrySource, type RegistrySource } from '../src/index';
import { blocksAfter, kindsOf, LocalSource } from './local-source';

const HASH = `0x${'ab'.repeat(32)}` as const;

describe('a source on a real node', () => {
  let local: LocalSource;
  let chain: LocalChain;
  let registries: DeployedRegistries;
  let owner: Address;
  let client: Address;
  beforeAll(async () => {
    local = await LocalSource.start();
    ({ chain, registries } = local);
    owner = local.account(0);
    client = local.account(1);
  });

  afterEach(() => local.closeSources());

  afterAll(() => chain.stop());

  async function readAll(source: RegistrySource, from: number, upTo: number): Promise<ChainBlock[]> {
    const blocks: ChainBlock[] = [];
    for (let next = from; next <= upTo;) {
      const range = await source.readHistory(next, upTo);
      expect(range.first.number).toBe(next);
      blocks.push(...range.blocks);
      next = range.last.number + 1;
    }
    return blocks;
  }

  it('reads every kind of fact from real transactions in order, live and as history alike', async () => {
    const source = local.source();
    const start = await source.head();
    const { agentId } = await registries.register({
      from: owner,
      uri: 'https://a.example/0',
      metadata: [{ key: 'k', value: '0x01' }],
    });
    await registries.setAgentUri({ from: owner, agentId, uri: 'https://a.example/1' });
    await registries.setMetadata({ from: owner, agentId, key: 'note', value: '0xbeef' });
    await registries.giveFeedback({
      from: client,
      agentId,
      value: -1234n,
      valueDecimals: 2,
      tag1: 'starred',
      tag2: 'fast',
      endpoint: 'e',
      feedbackUri: 'f',
      feedbackHash: HASH,
    });
    await registries.appendResponse({
      from: owner,
      agentId,
      client,
      feedbackIndex: 1n,
      responseUri: 'r',
      responseHash: HASH,
    });
    await registries.revokeFeedback({ from: client, agentId, feedbackIndex: 1n });
    await registries.requestValidation({ from: owner, agentId, validator: client, requestUri: 'q', requestHash: HASH });
    await registries.respondValidation({
      from: client,
      requestHash: HASH,
      response: 90,
      responseUri: 's',
      tag: 'good',
    });
    const { uid } = await registries.attest({
      from: client,
      agentId: `31337:${agentId}`,
      score: 4,
      tags: ['x', 'y'],
      context: 'fine',
    });
    await registries.attest({ from: client, agentId: '', score: 0, data: '0x1234' });
    await registries.revokeAttestation({ from: client, uid });
    await registries.transfer({ from: owner, agentId, to: client });
    for (const call of [
      registries.calls.registerV1({ from: owner, uri: 'https://v1.example' }),
      registries.calls.giveFeedbackV1({
        from: client,
        agentId: agentId + 1n,
        score: 80,
        tag1: 'quality',
        tag2: '',
        feedbackUri: 'u',
      }),
      registries.calls.giveFeedbackV110({ from: client, agentId: agentId + 1n, score: 70, tag1: 'starred', tag2: 'b' }),
      registries.calls.giveFeedbackV111({ from: client, agentId: agentId + 1n, score: 60, tag1: 'own', tag2: 'c' }),
      registries.calls.setAgentUriV1({ from: owner, agentId: agentId + 1n, uri: 'https://v1.example/2' }),
    ]) {
      await registries.execute(call);
    }
    const blocks = await blocksAfter(source, start);
    expect(kindsOf(blocks)).toEqual([
      'transfer',
      'registered',
      'metadata_set',
      'metadata_set',
      'uri_updated',
      'metadata_set',
      'feedback_given',
      'response_appended',
      'feedback_revoked',
      'validation_requested',
      'validation_responded',
      'attested',
      'attested',
      'attestation_revoked',
      'metadata_set',
      'transfer',
      'transfer',
      'registered',
      'feedback_given',
      'feedback_given',
      'feedback_given',
      'uri_updated',
    ]);
    const facts = blocks.flatMap((block) => block.facts);
    const tokenId = agentId.toString();
    const pick = <K extends ChainFact['kind']>(kind: K) =>
      facts.filter((fact): fact is Extract<ChainFact, { kind: K }> => fact.kind === kind);
    expect(pick('registered')[0]).toMatchObject({ tokenId, uri: 'https://a.example/0', owner: owner.toLowerCase() });
    expect(pick('feedback_given')[0]).toMatchObject({
      tokenId,
      client: client.toLowerCase(),
      feedbackIndex: '1',
      value: '-1234',
      valueDecimals: 2,
      tag1: 'starred',
      tag2: 'fast',
      endpoint: 'e',
      feedbackUri: 'f',
      feedbackHash: HASH,
    });
    expect(pick('feedback_given').slice(1)).toMatchObject([
      { value: '80', valueDecimals: 0, tag1: 'quality', tag2: '' },
      { value: '70', tag1: 'starred', tag2: 'b' },
      { value: '60', tag1: 'own', tag2: 'c' },
    ]);
    expect(pick('feedback_given')[1]).not.toHaveProperty('feedbackIndex');
    expect(pick('attested')[0]).toMatchObject({
      uid,
      attester: client.toLowerCase(),
      attestation: { agentId: `31337:${agentId}`, score: 4, tags: ['x', 'y'], context: 'fine' },
    });
    expect(pick('attested')[1]).not.toHaveProperty('attestation');
    expect(pick('validation_responded')[0]).toMatchObject({
      validator: client.toLowerCase(),
      response: 90,
      tag: 'good',
    });
    // Linked from the cursor on, and as the node has them.
    let parent = start;
    for (const block of blocks) {
      expect(block.parentHash).toBe(parent.hash);
      expect(block.number).toBe(parent.number + 1);
      parent = block;
    }
    expect(parent).toMatchObject({ hash: (await chain.head()).hash });
    const history = await readAll(local.source(), start.number + 1, parent.number);
    expect(history).toEqual(blocks.filter((block) => block.facts.length > 0));
  });

  it('gives the head, headers, and nothing for blocks that are not there', async () => {
    const source = local.source();
    const head = await chain.head();
    expect(await source.head()).toEqual({
      number: head.number,
      hash: head.hash,
      parentHash: head.parentHash,
      timestamp: head.timestamp,
    });
    expect(await source.header(1)).toMatchObject({ number: 1, hash: (await chain.block(1))?.hash });
    expect(await source.header(head.number + 1)).toBeUndefined();
  });

  it('wakes up at a head that is announced by WebSocket, long before it would poll', async () => {
    let connected: () => void = () => undefined;
    const isConnected = new Promise<void>((resolve) => (connected = resolve));
    const config = chainConfigSchema.parse({
      ...registries.chainConfig(),
      wsUrl: chain.wsUrl,
      pollIntervalMs: 600_000,
    });
    const source = createRegistrySource({
      chain: config,
      signals: { headsAnnounced: (heads) => heads.connected && connected() },
    });
    local.added(source);
    const never = new AbortController().signal;
    await isConnected;
    // The subscription itself counts as news.
    await source.untilNewHead(never);
    const woken = source.untilNewHead(never);
    await chain.mine();
    await woken;
    const aborted = new AbortController();
    const given = source.untilNewHead(aborted.signal);
    aborted.abort();
    await given;
  });
});
