import { Anthropic } from '@anthropic-ai/sdk';
import { Anthropic as OldAnthropic } from 'anthropic-sdk-0';
import { SECRETS_KEY, startSessions as startApp, type SessionsApp } from './sessions-app';

export { SECRETS_KEY };

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, parsed; undefined when it is not JSON. */
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface SdkSessions extends Pick<SessionsApp, 'url' | 'host' | 'projection' | 'key' | 'stop'> {
  /** The SDK as a writer of workspace 1, which never tries twice. */
  readonly client: Anthropic;
  readonly oldClient: OldAnthropic;
  /** Of that writer. */
  readonly apiKey: string;
  clientOf(apiKey: string): Anthropic;
  /** One request as it is; as the writer of workspace 1 unless the headers name another. */
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

/** The app of sessions on a real port and the memory engine, as the SDK sees it. */
export async function startSessions(env: NodeJS.ProcessEnv = {}): Promise<SdkSessions> {
  const app = await startApp(env);
  const { url } = app;
  const apiKey = await app.key(1);
  const clientOf = (key: string) => new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
  return {
    ...app,
    apiKey,
    client: clientOf(apiKey),
    oldClient: new OldAnthropic({ baseURL: url, apiKey, maxRetries: 0 }),
    clientOf,
    request: (method, path, body, headers = {}) =>
      send(`${url}${path}`, method, body, {
        ...(!('authorization' in headers) && { 'x-api-key': apiKey }),
        ...headers,
      }),
  };
}

/** What is no text, bytes, form or stream is sent as JSON; so is text, unless the headers say otherwise. */
async function send(url: string, method: string, body: unknown, given: Record<string, string>): Promise<Answer> {
  const isRaw = body instanceof Uint8Array || body instanceof FormData || body instanceof ReadableStream;
  const isJson = body !== undefined && !isRaw;
  const response = await fetch(url, {
    method,
    headers: { ...(isJson && { 'content-type': 'application/json' }), ...given },
    ...(isRaw && { body, duplex: 'half' }),
    ...(isJson && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a call is refused with. */
export async function refusalOf(call: PromiseLike<unknown>): Promise<ReturnType<typeof JSON.parse>> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error('It was not refused');
}

/** All of what the SDK pages through. */
export async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of pages) found.push(one);
  return found;
}

export const MODEL = 'claude-opus-5';

/** An agent and an environment, of which sessions can be made. */
export async function makeParts(client: Anthropic, agent: Partial<Anthropic.Beta.AgentCreateParams> = {}) {
  const [{ id: agentId }, { id: environmentId }] = await Promise.all([
    client.beta.agents.create({ name: 'helper', model: MODEL, ...agent }),
    client.beta.environments.create({ name: 'workshop' }),
  ]);
  return { agent: agentId, environment_id: environmentId };
}
