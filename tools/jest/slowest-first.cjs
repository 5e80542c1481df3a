const { relative, sep } = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

/** Levels by the time that their files take: whole systems, real brokers, everything else. */
const LEVELS = ['.e2e.test.ts', '.int.test.ts', '.unit.test.ts'];

/** What takes more than twenty seconds, the longest first: begun late, one of these is all that still runs at the end. */
const SLOW_FILES = [
  'e2e/cluster.e2e.test.ts',
  'e2e/embedded.e2e.test.ts',
  'e2e/sealed-log.int.test.ts',
  'e2e/registry-simulation.e2e.test.ts',
  'apps/projector/test/erasure-kill.int.test.ts',
  'apps/projector/test/erasure.int.test.ts',
  'e2e/sessions.e2e.test.ts',
  'apps/projector/test/rebuild.int.test.ts',
  'apps/projector/test/rebuild-run.unit.test.ts',
  'apps/sse-stream/test/lifecycle.unit.test.ts',
  'libs/durable-log-kafka/src/kafka-faults.int.test.ts',
  'apps/cli/test/sluice.e2e.test.ts',
  'apps/all-in-one/test/one-process.e2e.test.ts',
  'regression/faults.e2e.test.ts',
  'libs/read-model/test/prisma-workspace-documents.int.test.ts',
  'libs/local-postgres/test/local-postgres.int.test.ts',
  'libs/service-runtime/src/run-main.unit.test.ts',
];

/**
 * The order of the test files. Jest goes by how long each took before, which a fresh machine does not know, and by size
 * where it does not: the files of whole systems are small, and would come last.
 */
class SlowestFirst extends Sequencer {
  sort(tests) {
    const known = super.sort([...tests]);
    return known
      .map((test, place) => ({ test, place, rank: rankOf(relative(test.context.config.rootDir, test.path)) }))
      .sort((a, b) => a.rank - b.rank || a.place - b.place)
      .map(({ test }) => test);
  }
}

function rankOf(path) {
  const place = SLOW_FILES.indexOf(path.split(sep).join('/'));
  if (place >= 0) return place;
  const level = LEVELS.findIndex((ending) => path.endsWith(ending));
  return SLOW_FILES.length + (level < 0 ? LEVELS.length : level);
}

module.exports = SlowestFirst;
module.exports.SLOW_FILES = SLOW_FILES;
