import fc from 'fast-check';
import type { AgentDirectory } from '../registry/agents';
import { memoryAgentHarness, type AgentDirectoryHarness } from './agent-harness';
import { agentHistory } from './agent-history';
import { describeAgentsOfEvents } from './agents-of-events';
import { describeFeedbackOfEvents } from './feedback-of-events';
import { describeListsOfAgents } from './lists-of-agents';

const HISTORIES = 20;
const SEED = 11;

/** Everything that can be read of a history's agents. */
async function everything(agents: AgentDirectory): Promise<unknown> {
  const lists = (['registered', 'updated', 'score', 'name'] as const).map((sort) =>
    agents.list({ sort, order: 'descending', limit: 100 }),
  );
  const feedback = ['1:0', '8453:7'].map((agentId) => agents.feedback({ agentId, limit: 100, includeRevoked: true }));
  return Promise.all([...lists, ...feedback]);
}

/** What every AgentDirectory must do, by the events of a read model. `createHarness` is called for every test. */
export function describeAgentDirectory(name: string, createHarness: () => Promise<AgentDirectoryHarness>): void {
  describe(`AgentDirectory: ${name}`, () => {
    let harness: AgentDirectoryHarness;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(() => harness.destroy());

    describe('agents', () => describeAgentsOfEvents(() => harness));
    describe('feedback', () => describeFeedbackOfEvents(() => harness));
    describe('lists', () => describeListsOfAgents(() => harness));

    it.each(fc.sample(agentHistory, { numRuns: HISTORIES, seed: SEED }).map((history, n) => ({ history, n })))(
      'shows what events one by one leave, whatever meets in a batch: history $n (G10)',
      async ({ history }) => {
        const stepwise = memoryAgentHarness();
        for (const batch of history) {
          await harness.record(batch);
          for (const envelope of batch) await stepwise.record([envelope]);
          expect(await everything(harness.agents)).toEqual(await everything(stepwise.agents));
        }
      },
    );
  });
}
