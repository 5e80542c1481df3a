import {
  applyBlocks,
  encodeDraft,
  meanScore,
  revertBlocks,
  type BlockJournal,
  type ChainBlock,
  type ChainDocument,
  type ChainFact,
  type JsonObject,
  type LedgerOutcome,
} from '@sluice/agent-registry';
import { toPosition } from '@sluice/event-log';
import { recordEnvelope } from '@sluice/event-schema';
import { changesOfKind, MemoryAgentDirectory, mergeChanges, projectEvent, type AgentRecord } from '@sluice/projections';
import fc from 'fast-check';

const CHAIN_ID = 31_337;
const address = (n: number) => `0x${n.toString(16).padStart(40, '0')}`;
const hash = (n: number) => `0x${n.toString(16).padStart(64, '0')}`;
const inline = (name: string, mcp: boolean) =>
  `data:application/json;base64,${Buffer.from(
    JSON.stringify({ name, services: mcp ? [{ name: 'MCP', endpoint: 'https://a.example/mcp' }] : [] }),
  ).toString('base64')}`;

const tokenId = fc.constantFrom('0', '1', '2');
const who = fc.constantFrom(address(1), address(2));
const index = fc.constantFrom('1', '2', '3');
const uri = fc.oneof(
  fc.constantFrom('', 'https://a.example/1', 'data:nonsense', 'data:application/json,{"name":""}'),
  fc.tuple(fc.constantFrom('One', 'Two'), fc.boolean()).map(([name, mcp]) => inline(name, mcp)),
);
const of = <K extends ChainFact['kind']>(
  kind: K,
  model: {
    [
      F in keyof Omit<Extract<ChainFact, { kind: K }>, 'kind' | 'transactionHash' | 'logIndex'>
    ]-?: fc.Arbitrary<unknown>;
  },
) => fc.record(model as Record<string, fc.Arbitrary<unknown>>).map((fields) => ({ kind, ...fields }));

const fact = fc.oneof(
  of('registered', { tokenId, owner: who, uri }),
  of('transfer', { tokenId, from: who, to: who }),
  of('uri_updated', { tokenId, uri, updatedBy: who }),
  of('metadata_set', {
    tokenId,
    metadataKey: fc.constantFrom('agentWallet', 'a', 'b'),
    value: fc.constantFrom('0x', '0x01', address(9)),
  }),
  ...[1, 2].map(() =>
    of('feedback_given', {
      ...{ tokenId, client: who, feedbackIndex: index, value: fc.nat(100).map(String), valueDecimals: fc.constant(0) },
      ...{ tag1: fc.constantFrom('', 'starred', 'uptime'), tag2: fc.constant(''), endpoint: fc.constant('') },
      ...{ feedbackUri: fc.constant(''), feedbackHash: fc.constant(hash(0)) },
    }),
  ),
  of('feedback_revoked', { tokenId, client: who, feedbackIndex: index }),
  of('response_appended', {
    ...{ tokenId, client: who, feedbackIndex: index, responder: who },
    ...{ responseUri: fc.constantFrom('x', 'y'), responseHash: fc.constant(hash(1)) },
  }),
  of('attested', {
    ...{ uid: fc.constantFrom(hash(1), hash(2)), attester: who },
    attestation: fc.record({
      ...{ agentId: tokenId.map((id) => `${CHAIN_ID}:${id}`), score: fc.integer({ min: 0, max: 6 }) },
      ...{ tags: fc.constant(['t']), context: fc.constant('') },
    }),
  }),
  of('attestation_revoked', { uid: fc.constantFrom(hash(1), hash(2)), attester: who }),
);
type Step = { readonly facts: readonly object[] } | { readonly undo: number };
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.array(fact, { maxLength: 6 }).map((facts) => ({ facts })) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }).map((undo) => ({ undo })) },
  ),
  { maxLength: 25, size: 'max' },
);

/** A chain as its watcher knows it, and its agents as readers see them. */
class WatchedChain {
  readonly documents = new Map<string, ChainDocument>();
  readonly directory = new MemoryAgentDirectory();
  private readonly journals: BlockJournal[] = [];
  private readonly known = new Set<string>();
  private blocks = 0;

  private readonly context = {
    chainId: CHAIN_ID,
    nowMs: 1_700_000_000_000,
    classifierAvailable: false,
    fileReReadIntervalMs: 1_000,
  };

  take(step: Step): void {
    if ('undo' in step) {
      const undone = this.journals.splice(Math.max(0, this.journals.length - step.undo)).reverse();
      return this.commit(revertBlocks(this.documents, undone, this.context));
    }
    const number = this.journals.length + 1;
    const at = ++this.blocks;
    const owners = new Map<string, unknown>();
    const facts = step.facts.map((said, n) => {
      const fact = { ...said, transactionHash: hash(at * 100 + n), logIndex: n } as ChainFact;
      if (fact.kind !== 'registered' && fact.kind !== 'transfer') return fact;
      // On a chain an agent is transferred by its owner.
      const owner = owners.get(fact.tokenId) ?? this.documents.get(`agent/${fact.tokenId}`)?.value['owner'];
      if (fact.kind === 'transfer') {
        owners.set(fact.tokenId, owner && fact.to);
        return { ...fact, from: String(owner ?? fact.from) };
      }
      owners.set(fact.tokenId, owner ?? fact.owner);
      return fact;
    });
    const parentHash = this.journals.at(-1)?.block.hash ?? hash(0);
    const block: ChainBlock = { number, hash: hash(1_000_000 + at), parentHash, timestamp: 1_700_000_000 + at, facts };
    const outcome = applyBlocks(this.documents, [block], { ...this.context, journalFrom: 0 });
    this.journals.push(...outcome.journals);
    this.commit(outcome);
  }

  private commit({ changes, drafts }: LedgerOutcome): void {
    for (const { key, value, dueAt } of changes) {
      if (value === null) this.documents.delete(key);
      else this.documents.set(key, { key, value, ...(dueAt === undefined ? {} : { dueAt }) });
    }
    const events = drafts.map((draft) => {
      if (this.known.has(draft.eventId)) throw new Error(`${draft.type} has the id of another event`);
      this.known.add(draft.eventId);
      const recording = { position: toPosition(this.known.size), entitySequence: 1, recordedAt: 1 };
      return recordEnvelope(encodeDraft(draft), recording).event;
    });
    this.directory.apply(changesOfKind('agent', mergeChanges(events.flatMap(projectEvent))));
  }
}

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: JsonObject | undefined): Fields => value ?? {};

/** What readers are to see of an agent, by the documents. */
function expectedAgent(documents: WatchedChain['documents'], token: string): object {
  const agent = fieldsOf(documents.get(`agent/${token}`)?.value);
  const { uri: fileUri, file, error } = fieldsOf(documents.get(`file/${token}`)?.value);
  const { name } = fieldsOf(file as JsonObject | undefined);
  const count = Number(agent['ratingCount']);
  return {
    owner: agent['owner'],
    wallet: agent['wallet'] ?? undefined,
    metadata: agent['metadata'],
    uri: fileUri === '' ? undefined : fileUri,
    name: name === undefined || name === '' ? `Agent #${token}` : name,
    hasMcp: fieldsOf(file as JsonObject | undefined)['mcpEndpoint'] !== undefined,
    errorCode: fieldsOf(error as JsonObject | undefined)['code'],
    score: count === 0 ? null : meanScore(Number(agent['ratingSum']), count),
    feedbackCount: count,
  };
}

function shownAgent(agent: AgentRecord): object {
  const { owner, wallet, metadata, uri: shownUri, name, hasMcp, fileError, score, feedbackCount } = agent;
  return { owner, wallet, metadata, uri: shownUri, name, hasMcp, errorCode: fileError?.code, score, feedbackCount };
}

async function expectSameAgents({ documents, directory }: WatchedChain): Promise<void> {
  for (const token of ['0', '1', '2']) {
    const agentId = `${CHAIN_ID}:${token}`;
    const agent = await directory.find(agentId);
    expect(agent !== undefined).toBe(documents.has(`agent/${token}`));
    if (agent) expect(shownAgent(agent)).toEqual(expectedAgent(documents, token));
    const shown = await directory.feedback({ agentId, limit: 100, includeRevoked: true });
    const given = [...documents.values()].flatMap(({ key, value }) => {
      const { isRevoked, score, tokenId: of } = fieldsOf(value);
      const isGiven = key.startsWith(`feedback/${token}/`) || (key.startsWith('attestation/') && of === token);
      return isGiven ? [{ key: key.replace(`/${token}/`, '/'), isRevoked, score }] : [];
    });
    const named = shown.map(({ attestationUid, clientAddress, feedbackIndex, revoked: isRevoked, score }) => ({
      key: attestationUid ? `attestation/${attestationUid}` : `feedback/${clientAddress}/${feedbackIndex}`,
      isRevoked,
      score,
    }));
    const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
    expect(named.sort(byKey)).toEqual(given.sort(byKey));
  }
}

it('shows agents and feedback as their chain has them, whatever blocks come and vanish', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const chain = new WatchedChain();
      for (const step of history) {
        chain.take(step);
        await expectSameAgents(chain);
      }
    }),
    { numRuns: 80, seed: 4 },
  );
});

it('shows responses that were given, until their blocks vanish', async () => {
  const chain = new WatchedChain();
  const feedback = { tokenId: '0', client: address(1), feedbackIndex: '1' };
  const given = {
    value: '5',
    valueDecimals: 0,
    tag1: '',
    tag2: '',
    endpoint: '',
    feedbackUri: '',
    feedbackHash: hash(0),
  };
  const respond = (responseUri: string) => ({
    facts: [{ kind: 'response_appended', ...feedback, responder: address(2), responseUri, responseHash: hash(1) }],
  });
  const shown = async () =>
    (await chain.directory.feedback({ agentId: `${CHAIN_ID}:0`, limit: 10 })).map(({ responses }) =>
      responses.map(({ responseUri }) => responseUri),
    );
  chain.take({ facts: [{ kind: 'registered', tokenId: '0', owner: address(1), uri: '' }] });
  chain.take({ facts: [{ kind: 'feedback_given', ...feedback, ...given }] });
  for (const response of ['one', 'two', 'three']) chain.take(respond(response));
  expect(await shown()).toEqual([['one', 'two', 'three']]);
  chain.take({ undo: 2 });
  chain.take(respond('four'));
  expect(await shown()).toEqual([['one', 'four']]);
  chain.take({ undo: 3 });
  expect(await shown()).toEqual([]);
  chain.take({ undo: 3 });
  expect(await chain.directory.find(`${CHAIN_ID}:0`)).toBeUndefined();
});
