import { MAX_METADATA_ENTRIES, MAX_METADATA_VALUE_LENGTH } from '@sluice/event-schema';
import { cleanText, jsonBytes } from '../clean-text';
import type { MetadataSetFact } from '../facts';
import type { AgentValue } from './documents';

/** Most bytes of the JSON of an agent's metadata; what does not fit is told of, not kept. */
const MAX_METADATA_BYTES = 10 * 1024;

/** Longest key that is kept, in Unicode characters. */
const MAX_METADATA_KEY_LENGTH = 100;

/** Most keys of metadata that one event names, and the longest name it gives them. */
const MAX_METADATA_CHANGES = 40;
const MAX_METADATA_CHANGE_LENGTH = 50;

/** The key under which the registry itself keeps an agent's wallet. */
const WALLET_KEY = 'agentWallet';

const HEX = /^0x(?:[0-9a-fA-F]{2})*$/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const NO_ADDRESS = /^0x0{40}$/;

type WithMetadata = Pick<AgentValue, 'wallet' | 'metadata'>;

/** What entries of metadata make of an agent, and the names of what changed. */
export function withMetadata<T extends WithMetadata>(
  agent: T,
  facts: readonly MetadataSetFact[],
): { readonly agent: T; readonly changes: readonly string[]; readonly isKeptChanged: boolean } {
  let changed: T = agent;
  const keys = new Set<string>();
  for (const { metadataKey, value } of facts) {
    if (metadataKey === WALLET_KEY) {
      changed = { ...changed, wallet: ADDRESS.test(value) && !NO_ADDRESS.test(value) ? value.toLowerCase() : null };
      keys.add(WALLET_KEY);
      continue;
    }
    const name = cleanText(`metadata.${metadataKey}`, MAX_METADATA_CHANGE_LENGTH);
    keys.add(keys.size < MAX_METADATA_CHANGES ? name : 'metadata');
    const metadata = withEntry(changed.metadata, metadataKey, value);
    if (metadata !== changed.metadata) changed = { ...changed, metadata };
  }
  return { agent: changed, changes: [...keys], isKeptChanged: changed.metadata !== agent.metadata };
}

/** An empty value takes an entry away. */
function withEntry(metadata: AgentValue['metadata'], rawKey: string, rawValue: string): AgentValue['metadata'] {
  const key = cleanText(rawKey, MAX_METADATA_KEY_LENGTH + 1);
  const value = cutHex(rawValue);
  const isKept = value !== '0x' && rawKey.length <= MAX_METADATA_KEY_LENGTH;
  const others = Object.entries(metadata).filter(([other]) => other !== key);
  const isThere = others.length < Object.keys(metadata).length;
  if (!isThere && (!isKept || others.length >= MAX_METADATA_ENTRIES)) return metadata;
  // Made of entries, so that no key of anybody's becomes more than a key.
  if (isKept) {
    const kept = Object.fromEntries([...others, [key, value]]);
    if (jsonBytes(kept) <= MAX_METADATA_BYTES) return kept;
  }
  return isThere ? Object.fromEntries(others) : metadata;
}

function cutHex(value: string): string {
  if (value.length <= MAX_METADATA_VALUE_LENGTH) return HEX.test(value) ? value : '0x';
  const start = value.slice(0, MAX_METADATA_VALUE_LENGTH - 2);
  return HEX.test(start) ? `${start}…` : '0x';
}
