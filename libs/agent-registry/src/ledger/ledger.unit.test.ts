import fc from 'fast-check';
import { blockPlan, FILES, mine, MUTABLE_URI, World } from '../../test/chain-arbitraries';
import { foldAgents } from '../../test/folded-agents';
import { comparable, knownAgents } from '../../test/known-agents';
import { HOUR_MS, NOW_MS, WatchedChain } from '../../test/watched-chain';
import { fileRequestOf, parseRegistrationFile, tokenIdOf, type ChainBlock, type FileReading } from '..';

const SEED = 4;
const branch = fc.array(blockPlan, { maxLength: 4 });

function branches([before, gone, instead]: readonly (readonly Parameters<typeof mine>[1][number][])[]) {
  const world = new World();
  const common = mine(world, before ?? [], 1);
  const other = world.copy();
  const next = common.length + 1;
  return { common, gone: mine(world, gone ?? [], next, 1), instead: mine(other, instead ?? [], next, 2), next };
}

/** Blocks in commits of one or of all, which must not matter. */
async function applyAll(chain: WatchedChain, blocks: readonly ChainBlock[], oneByOne: boolean): Promise<void> {
  if (oneByOne) for (const block of blocks) await chain.apply([block]);
  else if (blocks.length > 0) await chain.apply(blocks);
}

async function expectToldAsKnown(chain: WatchedChain): Promise<void> {
  expect(comparable(foldAgents(chain.events))).toEqual(knownAgents(await chain.documents()));
}

const distinctIds = (chain: WatchedChain) => new Set(chain.events.map(({ id }) => id)).size;

describe('the ledger', () => {
  it('has documents after an undo as if the blocks had never been', async () => {
    await fc.assert(
      fc.asyncProperty(fc.tuple(branch, branch), fc.boolean(), async (plans, oneByOne) => {
        const { common, gone, next } = branches(plans);
        const chain = new WatchedChain();
        await applyAll(chain, common, oneByOne);
        const before = await chain.documents();
        await applyAll(chain, gone, oneByOne);
        await chain.revert(next - 1);
        expect(await chain.documents()).toEqual(before);
        await expectToldAsKnown(chain);
        expect(distinctIds(chain)).toBe(chain.events.length);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  it('knows and tells after a reorganisation what it would of the blocks that stayed alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.tuple(branch, branch, branch), fc.boolean(), async (plans, oneByOne) => {
        const { common, gone, instead, next } = branches(plans);
        const chain = new WatchedChain();
        await applyAll(chain, common, oneByOne);
        await applyAll(chain, gone, oneByOne);
        await chain.revert(next - 1);
        await applyAll(chain, instead, oneByOne);
        const alone = new WatchedChain();
        await applyAll(alone, [...common, ...instead], !oneByOne);
        expect(await chain.documents()).toEqual(await alone.documents());
        expect(foldAgents(chain.events)).toEqual(foldAgents(alone.events));
        await expectToldAsKnown(chain);
        expect(distinctIds(chain)).toBe(chain.events.length);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('tells again, under new ids, of blocks that come back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.tuple(branch, branch, branch), async (plans) => {
        const { common, gone, instead, next } = branches(plans);
        const chain = new WatchedChain();
        await applyAll(chain, [...common, ...gone], false);
        const first = foldAgents(chain.events);
        for (const blocks of [instead, gone, instead, gone]) {
          await chain.revert(next - 1);
          await applyAll(chain, blocks, true);
        }
        expect(foldAgents(chain.events)).toEqual(first);
        expect(distinctIds(chain)).toBe(chain.events.length);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('gives the same events under the same ids, however blocks are cut into commits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.tuple(branch), async (plans) => {
        const { common } = branches(plans);
        const [one, other] = [new WatchedChain(), new WatchedChain({ journalFrom: 1000 })];
        await applyAll(one, common, true);
        await applyAll(other, common, false);
        expect(one.events).toEqual(other.events);
        expect((await one.journals()).length).toBe(common.length);
        expect(await other.journals()).toEqual([]);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('tells what it knows, whatever is found off the chain between blocks and undos', async () => {
    const operation = fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('mine' as const), plan: blockPlan }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('undo' as const), depth: fc.integer({ min: 1, max: 3 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), file: fc.integer({ min: -2, max: 3 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('probe' as const), up: fc.integer({ min: 0, max: 3 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('classify' as const), isFound: fc.boolean() }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 20 }), async (operations) => {
        const chain = new WatchedChain({ classifierAvailable: true });
        const worlds = [new World()];
        let fork = 0;
        for (const step of operations) {
          chain.nowMs += HOUR_MS;
          const world = worlds.at(-1) as World;
          if (step.do === 'mine') {
            const next = world.copy();
            const read = readingOf(MUTABLE_URI, worlds.length % 6, chain.nowMs);
            await chain.apply(mine(next, [step.plan], worlds.length, fork), worlds.length % 2 === 0 ? [read] : []);
            worlds.push(next);
          } else if (step.do === 'undo') {
            worlds.splice(Math.max(1, worlds.length - step.depth));
            await chain.revert(worlds.length - 1);
            fork = (fork + 1) % 2;
          } else await lookOffChain(chain, step);
          await expectToldAsKnown(chain);
        }
        await chain.revert(0);
        expect((await chain.documents()).size).toBe(0);
        expect(foldAgents(chain.events)).toEqual({});
        expect(distinctIds(chain)).toBe(chain.events.length);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});

type OffChainStep =
  | { readonly do: 'read'; readonly file: number }
  | { readonly do: 'probe'; readonly up: number }
  | { readonly do: 'classify'; readonly isFound: boolean };

async function lookOffChain(chain: WatchedChain, step: OffChainStep): Promise<void> {
  const { nowMs } = chain;
  if (step.do === 'read') {
    for (const document of await chain.due('file')) {
      const request = fileRequestOf(document);
      if (request !== undefined) await chain.file(request.tokenId, readingOf(request.uri, step.file, nowMs));
    }
    return;
  }
  const kind = step.do === 'probe' ? 'reach' : 'class';
  for (const tokenId of (await chain.due(kind)).map(tokenIdOf)) {
    if (step.do === 'probe') {
      const [mcp, a2a] = [{ reachable: (step.up & 1) === 1 }, { reachable: (step.up & 2) === 2 }];
      await chain.probe(tokenId, { mcp, a2a });
      continue;
    }
    const request = await chain.classificationRequest(tokenId);
    if (request === undefined) continue;
    const { inputHash } = request;
    const skills = [{ slug: 'audio', name: 'Audio', confidence: 0.5 }];
    await chain.classify(
      tokenId,
      step.isFound
        ? { status: 'classified', inputHash, skills, domains: [], confidence: 0.5, model: 'm' }
        : { status: 'failed', inputHash, retryAfterMs: 1000, reason: 'busy' },
    );
  }
}

/** The reading of one of the files; below 0, and above them, a failure. */
function readingOf(uri: string, at: number, readAt = NOW_MS): FileReading {
  const parsed = parseRegistrationFile(new TextEncoder().encode(JSON.stringify(FILES[at] ?? [])));
  if ('file' in parsed) return { status: 'read', uri, file: parsed.file, readAt };
  const error = { code: at === -1 ? ('timeout' as const) : ('unreachable' as const), message: `at ${readAt}` };
  return { status: 'failed', uri, error, retryable: at === -1, readAt };
}
