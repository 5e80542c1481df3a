import type { ChainBlock } from '@sluice/agent-registry';

/** What one commit may weigh; a block that is heavier goes alone. */
export interface PartLimits {
  readonly facts: number;
  /** Of the texts of facts. */
  readonly characters: number;
}

/** At the head, where each block has a journal too, and no lease may end behind a commit. */
export const LIVE_PART_LIMITS: PartLimits = { facts: 2_000, characters: 4 * 1024 * 1024 };

/** Of final blocks: what ranges have but for fat logs. */
export const HISTORY_PART_LIMITS: PartLimits = { facts: 20_000, characters: 16 * 1024 * 1024 };

/** The first blocks, as many as make one commit: at least one. */
export function partOf(blocks: readonly ChainBlock[], limits: PartLimits): readonly ChainBlock[] {
  let facts = 0;
  let characters = 0;
  for (let index = 0; index < blocks.length; index++) {
    const block = blocks[index] as ChainBlock;
    facts += block.facts.length;
    characters += charactersOf(block);
    if (index > 0 && (facts > limits.facts || characters > limits.characters)) {
      return blocks.slice(0, index);
    }
  }
  return blocks;
}

/** About how long the texts of its facts are. */
function charactersOf({ facts }: ChainBlock): number {
  let characters = 0;
  for (const fact of facts) {
    for (const value of Object.values(fact)) if (typeof value === 'string') characters += value.length;
  }
  return characters;
}
