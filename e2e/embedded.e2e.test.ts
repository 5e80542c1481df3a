import { assertBrowserResumes } from './browser-stream';
import { foreignClients } from './config';
import { assertErased } from './erasure';
import { assertExactlyOnce } from './exactly-once';
import { rebuildReadModel } from './read-model-rebuild';
import { assertRedisClientReceives } from './redis-client';
import { assertSamplesRun } from './samples';
import {
  assertPythonSampleRuns,
  assertRegistryPayloads,
  assertRegistrySamplesRun,
  assertWorkspaceSamplesRun,
} from './stream-samples';
import { startEmbedded, type EmbeddedSystem } from './system';

const SEED = 20_261;
let system: EmbeddedSystem;

beforeAll(async () => {
  system = await startEmbedded();
}, 300_000);

afterAll(async () => {
  await system.stop();
}, 300_000);

const { chromium, python } = foreignClients;

describe('the embedded engine, all in one process', () => {
  it.concurrent('runs the samples of the sandbox events document', () => assertSamplesRun(system), 300_000);

  it.concurrent(
    'gives an unmodified Redis client the events of its sandbox',
    () => assertRedisClientReceives(system),
    300_000,
  );

  it.concurrent('runs the samples of the workspace events document', () => assertWorkspaceSamplesRun(system), 300_000);

  if (chromium !== undefined) {
    it.concurrent(
      'misses nothing in a browser whose native EventSource is cut (G5)',
      () => assertBrowserResumes(system, chromium),
      120_000,
    );
  }

  // Without others: each looks for its registry events once.
  it('runs the samples of the registry events document', () => assertRegistrySamplesRun(system), 300_000);

  it('shows every documented field of every registry event', () => assertRegistryPayloads(system), 300_000);

  if (python !== undefined) {
    it('gives registry events to Python', () => assertPythonSampleRuns(system, python), 300_000);
  }

  it(
    'shows every acknowledged event exactly once to subscribers that are cut, over kill -9 of the process, also while it rebuilds (G1-G6, G10)',
    () =>
      assertExactlyOnce(
        system,
        [
          { atShare: 0.2, run: () => rebuildReadModel(system, () => system.crash()) },
          { atShare: 0.5, run: () => system.crash() },
        ],
        SEED,
      ),
    300_000,
  );

  // The last one: others look for every event, and for a rebuild in which each has its effect.
  it('erases an entity, and leaves the others', () => assertErased(system), 300_000);
});
