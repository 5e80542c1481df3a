import { decodeEventLog, keccak256, stringToHex, toHex } from 'viem';
import { startLocalChain, type DeployedRegistries, type LocalChain, type RegistryReceipt } from '../src';
import { IDENTITY_ABI, REPUTATION_ABI } from '../src/abis';

/** The topics of the official contracts, by event and version. */
const NAMES: Readonly<Record<string, string>> = {
  '0xca52e62c367d81bb2e328eb795f7c7ba24afb478408a26c0e201d155c449bc4a': 'Registered',
  '0x2c149ed548c6d2993cd73efe187df6eccabe4538091b33adbd25fafdb8a1468b': 'MetadataSet',
  '0x3a2c7fffc2cba7582c690e3b82c453ea02a308326a98a3ad7576c606336409fb': 'URIUpdated',
  '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef': 'Transfer',
  '0xf8e1a15aba9398e019f0b49df1a4fde98ee17ae345cb5f6b5e2c27f5033e8ce7': 'MetadataUpdate',
  '0xb41beef75d9f8d55b985319b459e96f82453580af381391f1ad531eb8f8b5a3a': 'UriUpdated 1.0.0',
  '0x6a4a61743519c9d648a14e6493f47dbe3ff1aa29e7785c96c8326a205e58febc': 'NewFeedback',
  '0x54b3254e4cc01969e70376d20390cc2f6af90539d9adaa78a53ebcda17f78154': 'NewFeedback 1.0.0',
  '0x801d7d4264128f6f43835850f1fabb91902c3543c3738f1f62fbf7e9fd80531d': 'NewFeedback 1.1.0',
  '0x31f01d2aa5cdbe0619011211e9ffc39d678bc82e46d60c35953396ae61e896d8': 'NewFeedback 1.1.0 with tag1',
  '0x25156fd3288212246d8b008d5921fde376c71ed14ac2e072a506eb06fde6d09d': 'FeedbackRevoked',
  '0xb1c6be0b5b8aef6539e2fac0fd131a2faa7b49edf8e505b5eb0ad487d56051d4': 'ResponseAppended',
  '0x530436c3634a98e1e626b0898be2f1e9980cc1bd2a78c07a0aba52d0a48a5059': 'ValidationRequest',
  '0xafddf629e874ccc3963b6a888c477bd464a6c8525024fc88759ea3b2326349ae': 'ValidationResponse',
  '0xf224d3d5ad74301be48e4d51ca5f1b24c7946875887327585becc59165297dcf': 'ValidationResponse 1.0.0',
  '0x8bf46bf4cfd674fa735a3d63ec1c9ad4153f033c290341f3a588b75685141b35': 'Attested',
  '0xf930a6e2523c9cc298691873087a740550b8fc85a0680830414c148ed927f615': 'Revoked',
};

const namesOf = ({ logs }: RegistryReceipt) => logs.map(({ topics }) => NAMES[topics[0] ?? ''] ?? topics[0]);

let chain: LocalChain;
let registries: DeployedRegistries;
let owner: `0x${string}`;
let client: `0x${string}`;
let other: `0x${string}`;

beforeAll(async () => {
  chain = await startLocalChain({ chainId: 4242 });
  registries = await chain.deployRegistries();
  const [, a, b, c] = chain.accounts;
  if (a === undefined || b === undefined || c === undefined) throw new Error('too few accounts');
  [owner, client, other] = [a, b, c];
});

afterAll(() => chain?.stop());

describe('registrations', () => {
  it('has 0 as the first id, and logs without a URI what the real contract logs', async () => {
    const registered = await registries.register({ from: owner });

    expect(registered.agentId).toBe(0n);
    expect(namesOf(registered)).toEqual(['Transfer', 'Registered', 'MetadataSet']);
    const wallet = decodeEventLog({ abi: IDENTITY_ABI, ...eventOf(registered, 2) });
    expect(wallet.args).toMatchObject({ metadataKey: 'agentWallet', metadataValue: owner });
    expect(await registries.agent(0n)).toEqual({ agentId: 0n, owner, uri: '', wallet: owner });
  });

  it('logs the update of metadata before the registration where there is a URI, and each entry after it', async () => {
    const metadata = [
      { key: 'a', value: '0x01' },
      { key: 'b', value: '0x' },
    ] as const;
    const plain = await registries.register({ from: owner, uri: 'ipfs://a' });
    const full = await registries.register({ from: owner, uri: 'ipfs://b', metadata });

    expect(namesOf(plain)).toEqual(['Transfer', 'MetadataUpdate', 'Registered', 'MetadataSet']);
    expect(namesOf(full)).toEqual([...namesOf(plain), 'MetadataSet', 'MetadataSet']);
    expect(await registries.metadata(full.agentId, 'a')).toBe('0x01');
  });

  it('logs the new URI after the update of metadata, and an empty wallet before a transfer', async () => {
    const { agentId } = await registries.register({ from: owner, uri: 'ipfs://a' });
    const updated = await registries.setAgentUri({ from: owner, agentId, uri: 'ipfs://c' });
    const transferred = await registries.transfer({ from: owner, to: other, agentId });

    expect(namesOf(updated)).toEqual(['MetadataUpdate', 'URIUpdated']);
    expect(namesOf(transferred)).toEqual(['MetadataSet', 'Transfer']);
    const cleared = decodeEventLog({ abi: IDENTITY_ABI, ...eventOf(transferred, 0) });
    expect(cleared.args).toMatchObject({ metadataKey: 'agentWallet', metadataValue: '0x' });
    expect(await registries.agent(agentId)).toEqual({ agentId, owner: other, uri: 'ipfs://c', wallet: undefined });
  });

  it('sets and unsets wallets and metadata', async () => {
    const { agentId } = await registries.register({ from: owner });
    const { calls } = registries;
    const call = { from: owner, agentId };

    expect(namesOf(await registries.execute(calls.setAgentWallet({ ...call, wallet: client })))).toEqual([
      'MetadataSet',
    ]);
    expect((await registries.agent(agentId))?.wallet).toBe(client);
    expect(namesOf(await registries.execute(calls.unsetAgentWallet(call)))).toEqual(['MetadataSet']);
    expect(namesOf(await registries.setMetadata({ ...call, key: 'k', value: '0x1234' }))).toEqual(['MetadataSet']);
  });

  it('logs as contracts 1.0.0 do: no wallet, and another topic for a new URI', async () => {
    const { calls } = registries;
    const registered = await registries.execute(calls.registerV1({ from: owner, uri: 'ipfs://old' }));
    const agentId = (await registries.agentCount()) - 1n;

    expect(namesOf(registered)).toEqual(['Transfer', 'MetadataUpdate', 'Registered']);
    const updated = await registries.execute(calls.setAgentUriV1({ from: owner, agentId, uri: 'ipfs://newer' }));
    expect(namesOf(updated)).toEqual(['MetadataUpdate', 'UriUpdated 1.0.0']);
  });
});

describe('reputation', () => {
  it('numbers the feedback of each client from 1 on, over all versions of the contracts', async () => {
    const { agentId } = await registries.register({ from: owner });
    const { calls } = registries;
    const scored = { from: client, agentId, score: 90, tag1: 'one', tag2: 'two' };
    const first = await registries.giveFeedback({
      from: client,
      agentId,
      value: -12345n,
      valueDecimals: 2,
      tag1: 'starred',
    });
    const others = [calls.giveFeedbackV1(scored), calls.giveFeedbackV110(scored), calls.giveFeedbackV111(scored)];
    const logged: string[] = [];
    for (const call of others) logged.push(...namesOf(await registries.execute(call)).map(String));
    const elsewhere = await registries.giveFeedback({ from: other, agentId, value: 1n });

    expect(namesOf(first)).toEqual(['NewFeedback']);
    expect(logged).toEqual(['NewFeedback 1.0.0', 'NewFeedback 1.1.0', 'NewFeedback 1.1.0 with tag1']);
    expect(elsewhere.feedbackIndex).toBe(1n);
    const decoded = decodeEventLog({ abi: REPUTATION_ABI, ...eventOf(first, 0) });
    expect(decoded.args).toMatchObject({
      agentId,
      feedbackIndex: 1n,
      value: -12345n,
      valueDecimals: 2,
      tag1: 'starred',
    });
    expect(first.logs[0]?.topics[3]).toBe(keccak256(stringToHex('starred')));
    const kept = await registries.feedback(agentId);
    expect(kept.map(({ client: by, feedbackIndex }) => [by, feedbackIndex])).toEqual([
      ...[1n, 2n, 3n, 4n].map((index) => [client, index]),
      [other, 1n],
    ]);
    expect(kept[1]).toMatchObject({ value: 90n, tag1: 'one', tag2: 'two' });
  });

  it('revokes and responds to feedback', async () => {
    const { agentId } = await registries.register({ from: owner });
    const { feedbackIndex } = await registries.giveFeedback({ from: client, agentId, value: 1n });
    const revoked = await registries.revokeFeedback({ from: client, agentId, feedbackIndex });
    const answered = await registries.appendResponse({ from: owner, agentId, client, feedbackIndex });

    expect([namesOf(revoked), namesOf(answered)]).toEqual([['FeedbackRevoked'], ['ResponseAppended']]);
    expect(await registries.feedback(agentId)).toMatchObject([{ revoked: true, responses: 1n }]);
  });

  it('takes no feedback from owners, and none for agents that are not there', async () => {
    const { agentId } = await registries.register({ from: owner });

    await expect(registries.giveFeedback({ from: owner, agentId, value: 1n })).rejects.toThrow();
    await expect(registries.giveFeedback({ from: client, agentId: 999_999n, value: 1n })).rejects.toThrow();
  });

  it('logs many feedbacks in one transaction, with indexes that differ', async () => {
    const bulk = { from: other, count: 30, firstAgentId: 0n, agents: 1, firstIndex: 1000n };
    const { logs } = await registries.execute(registries.calls.bulkFeedback(bulk));
    const indexes = logs.map(({ data }) => BigInt(data.slice(0, 66)));

    expect(new Set(indexes).size).toBe(30);
    expect(new Set(logs.map(({ topics }) => NAMES[topics[0] ?? '']))).toEqual(new Set(['NewFeedback']));
  });

  it('registers many agents in one transaction', async () => {
    const before = await registries.agentCount();
    const bulk = { from: other, count: 3, uri: 'data:,{id}!' };
    const found = await registries.execute(registries.calls.bulkRegister(bulk));

    expect(namesOf(found).slice(0, 5)).toEqual(['Transfer', 'MetadataUpdate', 'Registered', 'MetadataSet', 'Transfer']);
    const second = decodeEventLog({ abi: IDENTITY_ABI, ...eventOf(found, 6) });
    expect(second.args).toMatchObject({ agentId: before + 1n, agentURI: `data:,${before + 1n}!` });
  });
});

describe('validation', () => {
  it('logs requests, and responses of both versions', async () => {
    const { agentId } = await registries.register({ from: owner });
    const names: unknown[] = [];
    for (const place of [1, 2]) {
      const requestHash = toHex(place, { size: 32 });
      names.push(
        ...namesOf(await registries.requestValidation({ from: owner, agentId, validator: other, requestHash })),
      );
      const response = { from: other, requestHash, response: 100, tag: 'done' };
      const { respondValidation, respondValidationV1 } = registries.calls;
      names.push(
        ...namesOf(await registries.execute((place === 1 ? respondValidation : respondValidationV1)(response))),
      );
    }

    expect(names).toEqual(['ValidationRequest', 'ValidationResponse', 'ValidationRequest', 'ValidationResponse 1.0.0']);
  });
});

describe('attestations', () => {
  it('has the real attestation service, with the schema of agents under the id that it has everywhere', async () => {
    expect(registries.schemaUid).toBe('0x38a8d2b73c84f64eab779c8f5718d24646299f77c89ae4f5f8e17dbe04460fa8');
    const attested = await registries.attest({ from: client, agentId: '4242:0', score: 4, tags: ['fast'] });
    const revoked = await registries.revokeAttestation({ from: client, uid: attested.uid });

    expect([namesOf(attested), namesOf(revoked)]).toEqual([['Attested'], ['Revoked']]);
    expect(attested.logs[0]?.topics[3]).toBe(registries.schemaUid);
    expect(await registries.attestations()).toMatchObject([{ uid: attested.uid, attester: client, revoked: true }]);
  });
});

it('tells its history in words, attestations with what they say', async () => {
  const { agentId } = await registries.register({ from: owner, uri: 'ipfs://told' });
  const { uid } = await registries.attest({ from: client, agentId: `4242:${agentId}`, score: 3, tags: ['told'] });
  await registries.attest({ from: client, agentId: '', score: 0, data: '0x1234' });
  const told = (await registries.history()).slice(-6);

  expect(told.map(({ name }) => name)).toEqual([
    'Transfer',
    'MetadataUpdate',
    'Registered',
    'MetadataSet',
    'Attested',
    'Attested',
  ]);
  expect(told[2]?.args).toMatchObject({ agentId, agentURI: 'ipfs://told' });
  expect(told[4]?.args).toMatchObject({ uid, agentId: `4242:${agentId}`, score: 3, tags: ['told'] });
  expect(told[5]?.args).not.toHaveProperty('score');
});

function eventOf({ logs }: RegistryReceipt, place: number) {
  const log = logs[place];
  if (log === undefined) throw new Error(`there is no log ${place}`);
  const [topic, ...rest] = log.topics;
  if (topic === undefined) throw new Error('the log has no topic');
  return { data: log.data, topics: [topic, ...rest] as [`0x${string}`, ...`0x${string}`[]] };
}
