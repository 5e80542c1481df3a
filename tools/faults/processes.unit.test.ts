import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ClusterSystem } from '../../e2e/system';
import { appPids, endProcess, isReplicaOf, replacements, stateIn } from './processes';

const nobody = () => false;

describe('appPids', () => {
  const clusterOf = (...answers: Readonly<Record<string, number | undefined>>[]) => {
    let asked = 0;
    const processes = async () => {
      const answer = answers[Math.min(asked++, answers.length - 1)] ?? {};
      const named = Object.entries(answer).map(([name, pid]) => [name, { url: '', ...(pid && { pid }) }]);
      return Object.fromEntries(named) as Awaited<ReturnType<ClusterSystem['processes']>>;
    };
    return { engine: 'cluster' as const, processes };
  };

  it('waits for a process that is on its way back', async () => {
    expect(await appPids(clusterOf({ query: 1, ingest: undefined }, { query: 1, ingest: 2 }))).toEqual({
      query: 1,
      ingest: 2,
    });
  });

  it('names those that do not come back', async () => {
    const cluster = clusterOf({ query: 1, ingest: undefined, 'projector-2': undefined });
    await expect(appPids(cluster, 0)).rejects.toThrow('not running, see its log: ingest, projector-2');
  });
});

describe('replacements', () => {
  it('counts a process that is gone and has another one in its place', () => {
    expect(replacements({ query: 1 }, { query: 2 }, nobody)).toEqual([{ what: 'query replaced', count: 1 }]);
  });

  it.each([
    ['is still the same', { query: 1 }, nobody],
    ['has not come back', {}, nobody],
    ['still runs beside the new one', { query: 2 }, (pid: number) => pid === 1],
  ])('does not count one that %s', (_, after, isThere) => {
    expect(replacements({ query: 1 }, after, isThere)).toEqual([{ what: 'query replaced', count: 0 }]);
  });

  it('looks at each by itself', () => {
    const effects = replacements({ query: 1, 'query-2': 2 }, { query: 3, 'query-2': 2 }, nobody);
    expect(effects.map(({ count }) => count)).toEqual([1, 0]);
  });
});

describe('isReplicaOf', () => {
  it('knows the replicas of an app by their names', () => {
    const names = ['sse-stream', 'sse-stream-2', 'sse-stream-x', 'sessions'];
    expect(names.filter((name) => isReplicaOf('sse-stream', name))).toEqual(['sse-stream', 'sse-stream-2']);
  });
});

describe('stateIn', () => {
  it.each([
    ['12 (node) T 1 12', 'T'],
    ['12 (node (S) x) S 1 12', 'S'],
    ['', undefined],
  ])('finds the state in "%s"', (stat, state) => {
    expect(stateIn(stat)).toBe(state);
  });
});

describe('endProcess', () => {
  it('resolves when the process is gone, also where it was gone before', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1_000)']);
    const exit = once(child, 'exit');
    await endProcess(child.pid ?? 0);
    await exit;
    expect(child.signalCode).toBe('SIGKILL');
    await endProcess(child.pid ?? 0);
  });
});
