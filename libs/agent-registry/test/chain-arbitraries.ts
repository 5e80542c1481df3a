import fc from 'fast-check';
import type { ChainBlock } from '../src';
import {
  attestationRevoked,
  attested,
  block,
  CHAIN_ID,
  CLIENT,
  dataUri,
  feedback,
  HASH,
  metadataSet,
  OTHER,
  OWNER,
  registration,
  revoked,
  uriUpdated,
  type Said,
} from './samples';

export const FILES = [
  { name: 'Ada', description: 'Counts', services: [{ name: 'MCP', endpoint: 'https://ada.example.org/mcp' }] },
  {
    name: 'Bob',
    services: [
      { name: 'A2A', endpoint: 'https://bob.example.org/a2a' },
      { name: 'OASF', endpoint: '', skills: ['audio/speech'], domains: ['legal'] },
    ],
  },
  {
    name: '',
    services: [
      { name: 'mcp', endpoint: 'https://ada.example.org/mcp' },
      { name: 'a2a', endpoint: 'https://cy.example.org/a2a' },
    ],
  },
  {},
] as const;

export const MUTABLE_URI = 'https://example.org/agent.json';
const URIS = ['', MUTABLE_URI, 'ipfs://cid', 'data:,[', ...FILES.map(dataUri)];

const token = fc.constantFrom('0', '1', '2');
const uri = fc.constantFrom(...URIS);
const account = fc.constantFrom(OWNER, OTHER);

/** A transaction whose places, such as the index of its feedback, are still to be filled in. */
type Plan = (world: World) => readonly Said[];

/** What contracts know, so that logs are as theirs. */
export class World {
  constructor(
    readonly owners = new Map<string, string>(),
    readonly feedback = new Map<string, number>(),
    public attestations = 0,
  ) {}

  copy(): World {
    return new World(new Map(this.owners), new Map(this.feedback), this.attestations);
  }

  nextIndex(tokenId: string): number {
    const index = (this.feedback.get(tokenId) ?? 0) + 1;
    this.feedback.set(tokenId, index);
    return index;
  }
}

const register = fc.tuple(token, uri, account).map(([tokenId, at, owner]): Plan => (world) => {
  if (world.owners.has(tokenId)) return [];
  world.owners.set(tokenId, owner);
  return registration(tokenId, at, owner);
});

const transferTo = fc.tuple(token, account).map(([tokenId, to]): Plan => (world) => {
  const from = world.owners.get(tokenId);
  if (from === undefined) return [];
  world.owners.set(tokenId, to);
  return [metadataSet(tokenId, 'agentWallet', '0x'), { kind: 'transfer', tokenId, from, to }];
});

const give = fc
  .tuple(token, fc.integer({ min: -50, max: 200 }), fc.constantFrom('', 'starred', 'uptime'), fc.boolean())
  .map(([tokenId, value, tag1, hasIndex]): Plan => (world) => {
    if (!world.owners.has(tokenId)) return [feedback(tokenId, '1', String(value))];
    // Each index is given once, by clients that are told apart by how they give it.
    const client = hasIndex ? CLIENT : OTHER;
    const index = hasIndex ? String(world.nextIndex(tokenId)) : undefined;
    return [feedback(tokenId, index, String(value), { client, tag1 })];
  });

const attest = fc
  .tuple(token, fc.integer({ min: 0, max: 6 }))
  .map(([tokenId, score]): Plan => (world) => [attested(++world.attestations, `${CHAIN_ID}:${tokenId}`, score)]);

const simple = fc.oneof(
  fc.tuple(token, uri).map(([tokenId, at]) => uriUpdated(tokenId, at)),
  fc
    .tuple(token, fc.constantFrom('a', 'b', '__proto__'), fc.constantFrom('0x', '0x01', '0x02'))
    .map(([tokenId, key, value]) => metadataSet(tokenId, key, value)),
  fc.tuple(token, fc.integer({ min: 1, max: 4 })).map(([tokenId, index]) => revoked(tokenId, String(index))),
  fc.integer({ min: 1, max: 4 }).map(attestationRevoked),
  token.map((tokenId): Said => ({
    kind: 'response_appended',
    tokenId,
    client: CLIENT,
    feedbackIndex: '1',
    responder: OTHER,
    responseUri: '',
    responseHash: HASH,
  })),
  token.map((tokenId): Said => ({
    kind: 'validation_requested',
    tokenId,
    validator: OTHER,
    requestUri: '',
    requestHash: HASH,
  })),
);

const plan = fc.oneof(
  { weight: 3, arbitrary: register },
  { weight: 1, arbitrary: transferTo },
  { weight: 3, arbitrary: give },
  { weight: 1, arbitrary: attest },
  { weight: 4, arbitrary: simple.map((said): Plan => () => [said]) },
);

/** A transaction is one call, or some of a contract that calls many. */
const transaction = fc.array(plan, { minLength: 1, maxLength: 3 });

export type BlockPlan = readonly (readonly Plan[])[];
export const blockPlan: fc.Arbitrary<BlockPlan> = fc.array(transaction, { maxLength: 3 });

export function mine(world: World, plans: readonly BlockPlan[], firstNumber: number, fork = 0): readonly ChainBlock[] {
  return plans.map((transactions, at) =>
    block(
      firstNumber + at,
      transactions.map((plans) => plans.flatMap((plan) => plan(world))),
      fork,
    ),
  );
}
