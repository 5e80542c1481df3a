import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { programEnvironment } from './config';

const SIMULATE = join(__dirname, '..', 'tools', 'registry-simulation', 'simulate.mjs');

/** Lives of a chain with reorganisations within finality and beyond it, in both ways of delivery. */
const SEEDS = [7, 32];
const TIMEOUT_MS = 240_000;

/** What it prints: a line for each seed, with the faults of those that failed. */
function simulate(seed: number): Promise<string> {
  return new Promise((resolve) => {
    const args = [SIMULATE, '--first', String(seed), '--seeds', '1'];
    execFile(process.execPath, args, { env: programEnvironment({}) }, (_error, stdout, stderr) =>
      resolve(`${stdout}${stderr}`),
    );
  });
}

describe('a simulated chain under watchers that are killed', () => {
  it.each(SEEDS)(
    'has the agents, the feedback and every event of the chain exactly once, whatever happens to it (seed %i)',
    async (seed) => {
      expect(await simulate(seed)).toContain('1 of 1 seeds passed');
    },
    TIMEOUT_MS,
  );
});
