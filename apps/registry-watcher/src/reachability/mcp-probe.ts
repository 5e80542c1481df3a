import { randomInt } from 'node:crypto';
import { SseParser } from '@sluice/sse-protocol';
import { PROBE_LIMITS } from './limits';
import { initializeRequest, judgeMessage, MCP_PROTOCOL_VERSION, type InitializeAnswer } from './mcp-message';
import { parseJson, readText } from './read-body';
import { isProtected } from './protected';
import { reachable, unreachable, type Verdict } from './verdict';
import type { Visit, VisitAnswer, Visited, Visits } from './visits';

const EVENT_STREAM = 'text/event-stream';

/** Largest id that any implementation can be expected to give back unchanged. */
const MAX_REQUEST_ID = 2 ** 31 - 1;

/** Sessions that can be named in a header: visible ASCII, and not absurdly long. */
const SESSION_ID = /^[\x21-\x7e]{1,512}$/;
const VERSION = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Whether an MCP server answers at this endpoint: by `initialize` over streamable HTTP, or, where that is answered by a 4xx, by the
 * older transport's stream. At most three visits.
 */
export async function probeMcp(visits: Visits, endpoint: string, signal: AbortSignal): Promise<Visited> {
  let visited = await visits.visit(endpoint, signal, (visit) => initialize(visit, endpoint));
  const { finalUrl = endpoint } = visited;
  if (!isSettled(visited.verdict) && isElsewhere(finalUrl, endpoint)) {
    // A redirect may have made a GET of the POST, and the answer is to that: asked again where it leads.
    visited = await visits.visit(finalUrl, signal, (visit) => initialize(visit, finalUrl), finalUrl);
  }
  const { verdict, status = 0 } = visited;
  if (verdict.kind !== 'unreachable' || status < 400 || status > 499) return visited;
  const older = await visits.visit(finalUrl, signal, (visit) => openOlderStream(visit, finalUrl), finalUrl);
  // What was no stream of the older transport either is told as the answer to `initialize`.
  return older.verdict.kind === 'unreachable' ? visited : older;
}

function isSettled({ kind, code }: Verdict): boolean {
  return kind !== 'unreachable' && code !== 'json_rpc_error';
}

function isElsewhere(finalUrl: string, endpoint: string): boolean {
  return finalUrl !== endpoint && URL.canParse(endpoint) && finalUrl !== new URL(endpoint).href;
}

async function initialize(visit: Visit, endpoint: string): Promise<Visited> {
  const id = randomInt(1, MAX_REQUEST_ID);
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: `application/json, ${EVENT_STREAM}` },
    body: initializeRequest(id),
  } as const;
  let farewell: { url: string; headers: Record<string, string> } | undefined;
  const visited = await visit.request(endpoint, request, async (answer): Promise<Visited> => {
    const { status, finalUrl } = answer;
    if (isProtected(status)) return { verdict: reachable('protected'), status, finalUrl };
    const initialized = await readAnswer(answer, id);
    const sessionId = answer.headers.get('mcp-session-id') ?? '';
    if (status < 300 && SESSION_ID.test(sessionId)) {
      farewell = { url: finalUrl, headers: farewellHeaders(sessionId, initialized) };
    }
    return { verdict: verdictOf(initialized, status), status, finalUrl };
  });
  if (farewell !== undefined) await sayFarewell(visit, farewell.url, farewell.headers);
  return visited;
}

/** The answer to our request in a body of JSON or in a stream of events; `other` where neither has one. */
async function readAnswer(answer: VisitAnswer, id: number): Promise<InitializeAnswer> {
  if (answer.status >= 300 && !mayBeMessage(answer)) return { kind: 'other' };
  if (!isEventStream(answer)) return judgeMessage(parseJson(await readText(answer.body)), id);
  let last: InitializeAnswer = { kind: 'other' };
  for await (const event of eventsOf(answer)) {
    const judged: InitializeAnswer = event.type === 'message' ? judgeMessage(parseJson(event.data), id) : last;
    if (judged.kind === 'initialized' || judged.kind === 'json_rpc_error') return judged;
    if (judged.kind === 'wrong_id') last = judged;
  }
  return last;
}

/** The events of a stream, as many as we are willing to read. */
async function* eventsOf({ body }: VisitAnswer): AsyncIterable<{ readonly type: string; readonly data: string }> {
  const parser = new SseParser({ maxEventBytes: PROBE_LIMITS.maxAnswerBytes });
  let events = 0;
  for await (const chunk of body) {
    for (const output of parser.feed(chunk)) {
      if (output.kind === 'error' || events === PROBE_LIMITS.maxStreamEvents) return;
      if (output.kind !== 'event') continue;
      events++;
      yield output;
    }
  }
}

/** Whether an answer that is no success may be an error of JSON-RPC. */
function mayBeMessage({ status, headers }: VisitAnswer): boolean {
  return status < 500 && (headers.get('content-type') ?? '').toLowerCase().includes('json');
}

function isEventStream({ headers }: VisitAnswer): boolean {
  return (headers.get('content-type') ?? '').trim().toLowerCase().startsWith(EVENT_STREAM);
}

function verdictOf(answer: InitializeAnswer, status: number): Verdict {
  if (answer.kind === 'initialized' && status < 300) return reachable('initialized');
  if (answer.kind === 'json_rpc_error') return reachable('json_rpc_error');
  if (status >= 300) return unreachable('http_status', status);
  return unreachable(answer.kind === 'wrong_id' ? 'wrong_id' : 'not_mcp', status);
}

function farewellHeaders(sessionId: string, answer: InitializeAnswer): Record<string, string> {
  const agreed = answer.kind === 'initialized' ? answer.protocolVersion : '';
  return {
    'mcp-session-id': sessionId,
    'mcp-protocol-version': VERSION.test(agreed) ? agreed : MCP_PROTOCOL_VERSION,
  };
}

/** Gives the session back. How that is answered is of no interest. */
async function sayFarewell(visit: Visit, url: string, headers: Record<string, string>): Promise<void> {
  const request = { method: 'DELETE', headers, maxRedirects: 0, timeoutMs: PROBE_LIMITS.farewellTimeoutMs } as const;
  await visit.request(url, request, () => Promise.resolve()).catch(() => undefined);
}

/** The older transport begins with a stream whose first event names the endpoint for messages. */
function openOlderStream(visit: Visit, endpoint: string): Promise<Visited> {
  return visit.request(endpoint, { headers: { accept: EVENT_STREAM } }, async (answer): Promise<Visited> => {
    const { status, finalUrl } = answer;
    if (isProtected(status)) return { verdict: reachable('protected'), status, finalUrl };
    if (status > 299 || !isEventStream(answer))
      return { verdict: unreachable('http_status', status), status, finalUrl };
    for await (const { type, data } of eventsOf(answer)) {
      if (type === 'endpoint' && data.trim() !== '') return { verdict: reachable('legacy_sse'), status, finalUrl };
    }
    return { verdict: unreachable('not_mcp', status), status, finalUrl };
  });
}
