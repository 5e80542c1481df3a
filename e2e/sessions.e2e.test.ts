import { assertRetryIsVisible, assertSessionSamplesRun, assertToolRunnerSurvivesCuts } from './session-checks';
import { SessionEngine } from './session-engine';
import { assertCommandLineTailsSessions } from './session-tail';
import { startEmbedded, type EmbeddedSystem } from './system';

let engine: SessionEngine;
let system: EmbeddedSystem;

beforeAll(async () => {
  engine = await SessionEngine.start();
  system = await startEmbedded({ SLUICE_ALLOW_PRIVATE_URLS: new URL(engine.url).origin });
}, 300_000);

afterAll(async () => {
  await system.stop();
  await engine.stop();
}, 300_000);

describe('the surface of the Anthropic SDK, on the embedded engine', () => {
  it.each(['@anthropic-ai/sdk', 'anthropic-sdk-0'])(
    'runs the samples of the session events document: %s',
    (sdk) => assertSessionSamplesRun(system, sdk),
    300_000,
  );

  it('lets the tool runner answer each call once, though its stream is cut again and again', async () => {
    await assertToolRunnerSurvivesCuts(system, engine);
  }, 300_000);

  it('shows a retry of the engine on the stream, and a terminal error', async () => {
    await assertRetryIsVisible(system, engine);
  }, 300_000);

  it('shows the events of a session on the command line', () => assertCommandLineTailsSessions(system), 300_000);
});
