import { parseArgs } from 'node:util';

/** @type {readonly string[]} in the order in which they run: memory first, while the processes are fresh */
export const MEASURES = ['memory', 'ingest', 'latency', 'fan-out', 'catch-up', 'slow-neighbour', 'storm'];
export const ENGINES = ['embedded', 'cluster'];

export const USAGE = `usage: npm run bench -- [options]
  --engine embedded|cluster|both   what to measure (both by default)
  --only a,b                       some of: ${MEASURES.join(', ')}
  --quick                          shorter rounds: to see that it works
  --json FILE                      also write every figure there
  --profile                        profile the server processes and print where their time went; slower`;

/** How long and how much. `rounds` are interleaved with those of the baseline. */
const FULL = {
  rounds: 3,
  firstWarmUpMs: 1_500,
  brokerWarmUpMs: 30_000,
  times: { warmUpMs: 400, durationMs: 1_500 },
  pacedPerSecond: 50,
  latencyRounds: 2,
  latencyEvents: 200,
  fanOutRounds: 2,
  fanOutEvents: 100,
  fanOutSubscribers: [1, 100, 1000],
  idleSubscribers: [1000, 2000],
  idleWaitMs: 1_000,
  catchUpEvents: 100_000,
  catchUpRounds: 2,
  quietMs: 5_000,
  neighbourRounds: 5,
  neighbourEvents: 500,
};
const QUICK = {
  ...FULL,
  rounds: 1,
  firstWarmUpMs: 300,
  brokerWarmUpMs: 0,
  times: { warmUpMs: 200, durationMs: 800 },
  latencyRounds: 1,
  latencyEvents: 50,
  fanOutRounds: 1,
  fanOutEvents: 25,
  idleSubscribers: [1000],
  idleWaitMs: 300,
  catchUpEvents: 10_000,
  catchUpRounds: 1,
  neighbourRounds: 1,
  neighbourEvents: 250,
};

/**
 * @param {string[]} args
 * @throws Error that names what is wrong
 */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      engine: { type: 'string', default: 'both' },
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const engines = values.engine === 'both' ? ENGINES : [known('engine', values.engine, ENGINES)];
  const wanted = values.only?.split(',').map((name) => known('measure', name.trim(), MEASURES));
  return {
    engines,
    measures: MEASURES.filter((name) => wanted?.includes(name) ?? true),
    jsonFile: values.json,
    isProfiled: values.profile,
    isHelp: values.help,
    isQuick: values.quick,
    scale: values.quick ? QUICK : FULL,
  };
}

function known(kind, name, all) {
  if (!all.includes(name)) throw new Error(`unknown ${kind} "${name}"; there are: ${all.join(', ')}`);
  return name;
}
