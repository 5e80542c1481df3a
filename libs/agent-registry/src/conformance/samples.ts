import { encodeEnvelope, eventIdFromIdempotencyKey, type EncodedEnvelope } from '@sluice/event-schema';
import type { BlockJournal, ChainGrant, ChainHalt, ChainStore } from '../chain-store';
import type { BlockHeader } from '../facts';

export type OpenStore = () => Promise<ChainStore>;

/** Longer than any test. */
export const LEASE_MS = 600_000;

export const LOST = expect.objectContaining({ code: 'conflict' });

export async function grantOf(store: ChainStore, chainId = 1, holder = 'one'): Promise<ChainGrant> {
  const grant = await store.acquire(chainId, holder, LEASE_MS);
  if (grant === undefined) throw new Error(`${holder} got no grant`);
  return grant;
}

export function hashOf(number: number): string {
  return `0x${number.toString(16).padStart(64, '0')}`;
}

export function blockOf(number: number): BlockHeader {
  return { number, hash: hashOf(number), parentHash: hashOf(number - 1), timestamp: 1_700_000_000 + number };
}

export function journalOf(number: number): BlockJournal {
  return {
    block: blockOf(number),
    before: [
      { key: `agent/${number}`, value: null },
      { key: 'file/0', value: { uri: 'https://example.org/\u0000', readAt: number }, dueAt: number },
    ],
    emitted: [
      {
        eventId: eventOf(number).event.id,
        type: 'agent_updated',
        agentId: '1:0',
        data: { agentId: '1:0', chainId: 1, changes: ['name'] },
      },
    ],
  };
}

export function haltOf(number: number): ChainHalt {
  return {
    reason: 'reorg_beyond_finality',
    message: 'The chain changed below its final block',
    haltedAt: 1_700_000_000_000,
    cursor: { number, hash: hashOf(number) },
  };
}

export function eventOf(number: number, change = 'name'): EncodedEnvelope {
  const agentId = '1:0';
  const id = eventIdFromIdempotencyKey({ workspaceId: 0, family: 'registry', entityId: agentId }, `sample/${number}`);
  return encodeEnvelope({
    id,
    family: 'registry',
    entityId: agentId,
    workspaceId: 0,
    type: 'agent_updated',
    schemaVersion: 1,
    occurredAt: 1_700_000_000_000,
    data: { agentId, chainId: 1, changes: [change] },
  });
}
