import { join } from 'node:path';
import { until } from '@sluice/event-log/conformance';
import { EventSource } from 'eventsource';
import { programEnvironment } from './config';
import { Program } from './program';
import { DOCUMENTED_EVENTS, produceRegistryEvents } from './registry';
import type { System } from './system';

const SAMPLES = join(__dirname, 'samples');
const TIMEOUT_MS = 120_000;

/** Runs the registry events document's samples as they are written; base URL and key come from the environment. */
export async function assertRegistrySamplesRun(system: System): Promise<void> {
  const { baseUrl, apiKey } = system.dev();
  const env = programEnvironment({ BASE_URL: baseUrl, API_KEY: apiKey });
  const curl = Program.run(
    'curl',
    [
      '-N',
      `${baseUrl}/api/v1/events?chainIds=11155111&reputation=true&reachability=true`,
      '-H',
      `X-API-Key: ${apiKey}`,
    ],
    env,
  );
  const browser = Program.run(
    process.execPath,
    ['-r', join(SAMPLES, 'with-event-source.cjs'), join(SAMPLES, 'registry-events.cjs')],
    env,
  );
  const programs = [curl, browser];
  try {
    await curl.untilPrinted('event: connected');
    await browser.untilPrinted('Connected to event stream');
    await produceRegistryEvents(system, DOCUMENTED_EVENTS);
    await browser.untilPrinted('Reputation changed: 11155111:1234 84');
    await curl.untilPrinted('event: reachability_update');
    expect(curl.printed).toContain('event: reputation_change\n');
    // Only what the flags ask for.
    expect(curl.printed).not.toContain('agent_registered');
    expect(browser.printed).not.toContain('SSE error');
  } finally {
    for (const program of programs) program.end();
  }
}

/** The same by Python's `httpx` and `httpx-sse`. */
export async function assertPythonSampleRuns(system: System, python: string): Promise<void> {
  const { baseUrl, apiKey } = system.dev();
  const program = Program.run(
    python,
    [join(SAMPLES, 'registry_events.py')],
    programEnvironment({ BASE_URL: baseUrl, API_KEY: apiKey }),
  );
  try {
    await program.untilPrinted('Connected to event stream');
    await produceRegistryEvents(system, DOCUMENTED_EVENTS);
    await program.untilPrinted('Reputation changed: 11155111:1234 -> 84');
  } finally {
    program.end();
  }
}

/** Every documented type arrives with exactly the documented fields, and its type, at a standards-conforming EventSource. */
export async function assertRegistryPayloads(system: System): Promise<void> {
  const { baseUrl, apiKey } = system.dev();
  const source = new EventSource(`${baseUrl}/api/v1/events?chainIds=11155111`, {
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, 'X-API-Key': apiKey } }),
  });
  const received: unknown[] = [];
  let isConnected = false;
  try {
    source.addEventListener('connected', () => (isConnected = true));
    for (const { type } of DOCUMENTED_EVENTS) {
      source.addEventListener(type, ({ data }) => received.push(JSON.parse(data)));
    }
    await until(() => isConnected, 'the stream opens', TIMEOUT_MS);
    await produceRegistryEvents(system, DOCUMENTED_EVENTS);
    await until(() => received.length >= DOCUMENTED_EVENTS.length, 'all types arrive', TIMEOUT_MS);
    const byType = (a: unknown, b: unknown): number => String(Object(a).type).localeCompare(String(Object(b).type));
    expect([...received].sort(byType)).toEqual(
      DOCUMENTED_EVENTS.map(({ type, data, timestamp }) => ({ type, ...data, timestamp })).sort(byType),
    );
  } finally {
    source.close();
  }
}

/** Runs the workspace events document's samples as they are written: without credentials, on a development engine. */
export async function assertWorkspaceSamplesRun(system: System): Promise<void> {
  const baseUrl = system.dev().gatewayUrl ?? system.dev().baseUrl;
  const env = programEnvironment({ BASE_URL: baseUrl });
  const curl = Program.run('curl', ['-N', `${baseUrl}/api/events`], env);
  const browser = Program.run(
    process.execPath,
    ['-r', join(SAMPLES, 'with-event-source.cjs'), join(SAMPLES, 'workspace-events.cjs')],
    env,
  );
  try {
    await curl.untilPrinted('retry:');
    // The sample says nothing when it opens: what it prints for the first task tells that it has.
    let taskId = '';
    await until(
      async () => {
        taskId = (await post<{ id: string }>(`${baseUrl}/api/tasks`, { title: 'New task' })).id;
        return browser.printed.includes('Task created:');
      },
      'the sample opens',
      TIMEOUT_MS,
    );
    await browser.untilPrinted(`Task created: ${taskId}`);
    await post(`${baseUrl}/api/agents/CLAUDE_CODE/spawn`, { prompt: 'hello', workdir: '/path/to/project' });
    await browser.untilPrinted('Agent spawned: CLAUDE_CODE');
    await curl.untilPrinted('event: AgentCompleted');
    expect(curl.printed).toMatch(
      /event: TaskCreated\ndata: \{"type":"TaskCreated","task_id":"task-[^"]+","title":"New task"/,
    );
    expect(curl.printed).toMatch(/"workdir":"\/path\/to\/project"/);
    expect(browser.printed).not.toContain('SSE error');
  } finally {
    curl.end();
    browser.end();
  }
}

async function post<T>(url: string, body: object): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
