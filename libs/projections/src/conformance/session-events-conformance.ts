import fc from 'fast-check';
import type { SessionEvents } from '../session/session-events';
import { describeListsOfSessionEvents } from './lists-of-session-events';
import { describeSessionEventsOfEvents } from './session-events-of-events';
import { memorySessionHarness, type SessionEventsHarness } from './session-harness';
import { HISTORY_SESSION_IDS, HISTORY_WORKSPACE_IDS, sessionHistory } from './session-history';

const HISTORIES = 20;
const SEED = 13;

/** Everything that can be read of a history's sessions. */
async function everything(events: SessionEvents): Promise<unknown> {
  const lists = HISTORY_WORKSPACE_IDS.flatMap((workspaceId) =>
    HISTORY_SESSION_IDS.map((sessionId) => events.list({ workspaceId, sessionId, order: 'ascending', limit: 1000 })),
  );
  return Promise.all(lists);
}

/** What every SessionEvents must do, by the events of a read model. `createHarness` is called for every test. */
export function describeSessionEvents(name: string, createHarness: () => Promise<SessionEventsHarness>): void {
  describe(`SessionEvents: ${name}`, () => {
    let harness: SessionEventsHarness;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(() => harness.destroy());

    describe('events', () => describeSessionEventsOfEvents(() => harness));
    describe('lists', () => describeListsOfSessionEvents(() => harness));

    it.each(fc.sample(sessionHistory, { numRuns: HISTORIES, seed: SEED }).map((history, n) => ({ history, n })))(
      'shows what events one by one leave, whatever meets in a batch: history $n (G10)',
      async ({ history }) => {
        const stepwise = memorySessionHarness();
        for (const batch of history) {
          await harness.record(batch);
          for (const envelope of batch) await stepwise.record([envelope]);
          expect(await everything(harness.events)).toEqual(await everything(stepwise.events));
        }
      },
    );
  });
}
