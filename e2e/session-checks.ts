import { join } from 'node:path';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { until } from '@sluice/event-log/conformance';
import { programEnvironment } from './config';
import { Program } from './program';
import {
  anthropicOf,
  cuttingFetch,
  eventsOf,
  hasEnded,
  newSession,
  registerEngine,
  say,
  typesOf,
  untilEvents,
} from './session-client';
import type { SessionEngine } from './session-engine';
import type { System } from './system';

const SAMPLE = join(__dirname, 'samples', 'session-events.mjs');

/** Runs the document's samples with an SDK of this name. */
export async function assertSessionSamplesRun(system: System, sdk: string): Promise<void> {
  const { baseUrl, apiKey } = system.dev();
  const env = programEnvironment({ BASE_URL: baseUrl, API_KEY: apiKey, SDK: sdk });
  const program = Program.run(process.execPath, [SAMPLE], env);
  try {
    await program.untilPrinted('file: what is in the file');
    expect(program.printed).toContain("type: 'text'");
    const listed = program.printed.split('\n').filter((line) => /^(user|agent|session|span)\./.test(line));
    expect(listed).toEqual(['user.message', 'session.status_running', 'agent.message', 'session.status_idle']);
  } finally {
    program.end();
  }
}

/** The SDK's own tool runner answers each call once though its stream is cut again and again. */
export async function assertToolRunnerSurvivesCuts(system: System, engine: SessionEngine): Promise<void> {
  const { id, secret } = await registerEngine(system, engine.url);
  engine.secrets.push(secret);
  let cuts = 0;
  const client = anthropicOf(system, { fetch: cuttingFetch(1_500, () => cuts++) });
  const sessionId = await newSession(client, id, [DOUBLE_TOOL]);
  const ran: number[] = [];
  const double = betaTool({
    name: DOUBLE_TOOL.name,
    description: DOUBLE_TOOL.description,
    inputSchema: NUMBER,
    run: ({ value }) => {
      ran.push(value);
      return String(value * 2);
    },
  });
  const runner = client.beta.sessions.events.toolRunner(sessionId, { tools: [double], maxIdleMs: 0 });
  const answered: string[] = [];
  const running = (async () => {
    for await (const call of runner) answered.push(call.toolUseId);
  })();
  const turns = 4;
  const plain = anthropicOf(system);
  for (let turn = 1; turn <= turns; turn++) {
    await say(plain, sessionId, 'tools 5');
    const ends = (n: number) => (events: Parameters<typeof hasEnded>[0]) =>
      events.filter((event) => event.type === 'agent.message').length === n && hasEnded(events);
    await untilEvents(plain, sessionId, ends(turn), `turn ${turn} ends`);
    const seen = cuts;
    await until(() => cuts > seen, 'the stream is cut', 120_000);
  }
  const events = await eventsOf(plain, sessionId);
  const asked = events.flatMap((event) => (event.type === 'agent.custom_tool_use' ? [event.id] : []));
  const results = events.flatMap((event) =>
    event.type === 'user.custom_tool_result' ? [event.custom_tool_use_id] : [],
  );
  expect(asked).toHaveLength(5 * turns);
  expect([...results].sort()).toEqual([...asked].sort());
  expect(ran).toHaveLength(5 * turns);
  expect([...answered].sort()).toEqual([...asked].sort());
  expect(engine.faults).toEqual([]);
  await plain.beta.sessions.archive(sessionId);
  await plain.beta.sessions.delete(sessionId);
  await running;
}

const NUMBER = { type: 'object', properties: { value: { type: 'number' } }, required: ['value'] } as const;
const DOUBLE_TOOL = { type: 'custom', name: 'double', description: 'Doubles a number.', input_schema: NUMBER } as const;

/** A retry is seen on the stream, in the order of the document, within one run. */
export async function assertRetryIsVisible(system: System, engine: SessionEngine): Promise<void> {
  const { id, secret } = await registerEngine(system, engine.url);
  engine.secrets.push(secret);
  const client = anthropicOf(system);
  const sessionId = await newSession(client, id);
  const stream = await client.beta.sessions.events.stream(sessionId);
  await say(client, sessionId, 'retry please');
  const streamed: string[] = [];
  for await (const event of stream) {
    streamed.push(event.type);
    if (event.type === 'session.status_idle') break;
  }
  expect(streamed).toEqual([
    'user.message',
    'session.status_running',
    'session.error',
    'session.status_rescheduled',
    'session.status_running',
    'agent.message',
    'session.status_idle',
  ]);
  expect(typesOf(await eventsOf(client, sessionId))).toEqual(streamed);
  const calls = engine.calls.filter((call) => call.session_id === sessionId);
  expect(new Set(calls.map((call) => call.run_id)).size).toBe(1);

  await say(client, sessionId, 'fail now');
  await untilEvents(client, sessionId, (events) => events.at(-1)?.type === 'session.status_terminated', 'it is over');
  await expect(say(client, sessionId, 'hello?')).rejects.toMatchObject({ type: 'invalid_request_error' });
}
