import { MetricsRegistry, createLogger } from '@sluice/service-runtime';
import { createWorkspaceSignals } from '../signals';
import type { WorkspaceDraft } from '../journal/workspace-draft';
import type { AgentRun } from './run';
import { RunExecutor } from './run-executor';
import { RunPool } from './run-pool';

function executorOf() {
  const written: WorkspaceDraft[] = [];
  const signals = createWorkspaceSignals(new MetricsRegistry(), createLogger({ service: 'test', level: 'silent' }));
  const pool = new RunPool({ concurrency: 4, queue: 4, perWorkspace: 4 }, signals);
  const journal = {
    write: (_: unknown, drafts: readonly WorkspaceDraft[]) => Promise.resolve(void written.push(...drafts)),
  };
  const feed = {
    expect: () => ({
      within: () => Promise.resolve({ events: new Map(), removed: new Set<string>() }),
      cancel: () => undefined,
    }),
  };
  return { written, executor: new RunExecutor(pool, journal, feed, { now: () => Date.now() }, signals) };
}

const run: AgentRun = {
  kind: 'agent',
  workspaceId: 1,
  sessionId: 's',
  agentId: 'AMP',
  deadlineAt: Date.now() + 60_000,
};
const never = () => new Promise<never>(() => undefined);

it.each([
  ['that is ours', undefined],
  ['that is known to be ours', Promise.resolve(true)],
])('gives a run %s an outcome although it begins while the process stops', async (_, isOurs) => {
  const { executor, written } = executorOf();
  const [place] = executor.reserve(1);
  const stopped = executor.stop();
  if (place) executor.start(place, run, never, isOurs);
  await stopped;
  expect(written).toMatchObject([
    { type: 'agent_error', data: { error: 'The process that ran it was shutting down' } },
  ]);
});

it('stops although a repeated command waits to know whose run it is', async () => {
  const { executor, written } = executorOf();
  for (const place of executor.reserve(1, 2)) executor.start(place, run, never, never());
  await executor.stop();
  expect(written).toEqual([]);
});

it('breaks off the first of two that begin the same run, and ends at that', async () => {
  const { executor, written } = executorOf();
  const [one, two] = executor.reserve(1, 2);
  if (one) executor.start(one, run, never, Promise.resolve(true));
  if (two) executor.start(two, run, never, Promise.resolve(false));
  executor.breakOff(run);
  await executor.stop();
  expect(written).toEqual([]);
});
