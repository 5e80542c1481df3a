import { z } from 'zod';
import type { ResponderConfig } from '../config';
import { MAX_ANSWER_PIECES, RunFailed, type Responder, type ResponderRequest } from './responder';

/** How often the responder is asked for one answer, and how long to wait before the second time; doubled each time. */
export const HTTP_RESPONDER_LIMITS = { attempts: 3, retryDelayMs: 250 } as const;

/** Statuses of a responder that may answer the same request later. */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

const answerSchema = z.union([
  z.object({ content: z.string() }).transform(({ content }) => [content]),
  z.object({ messages: z.array(z.string()).max(MAX_ANSWER_PIECES) }).transform(({ messages }) => messages),
]);

/**
 * Asks a service over HTTP: `POST {agent_id, prompt, history}` is answered by `{content}` or `{messages: []}`. Bounded in
 * time, size and attempts; a request may reach the service more than once.
 */
export class HttpResponder implements Responder {
  constructor(
    private readonly url: string,
    private readonly config: Omit<ResponderConfig, 'url'>,
    private readonly retryDelayMs: number = HTTP_RESPONDER_LIMITS.retryDelayMs,
  ) {}

  async *respond(request: ResponderRequest): AsyncIterable<string> {
    yield* await this.ask(request);
  }

  private async ask(request: ResponderRequest): Promise<string[]> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.attempt(request);
      if (typeof answer !== 'string') return answer;
      if (attempt === HTTP_RESPONDER_LIMITS.attempts) throw new RunFailed(answer);
      await pause(this.retryDelayMs * 2 ** (attempt - 1), request.signal);
    }
  }

  /** The answer, or why another attempt may bring one. */
  private async attempt({ agentId, prompt, history, signal }: ResponderRequest): Promise<string[] | string> {
    const { timeoutMs, token } = this.config;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ agent_id: agentId, prompt, history }),
        signal: AbortSignal.any([signal, timeout]),
        // The responder is where the configuration says, and nowhere else.
        redirect: 'error',
      });
      if (response.ok) return readAnswer(await this.readBody(response));
      await response.body?.cancel();
      const reason = `The responder answered with status ${response.status}`;
      if (!RETRYABLE_STATUSES.has(response.status)) throw new RunFailed(reason);
      return reason;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RunFailed) throw error;
      return timeout.aborted ? 'The responder did not answer in time' : 'The responder could not be reached';
    }
  }

  private async readBody(response: Response): Promise<string> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > this.config.maxAnswerBytes) throw new RunFailed('The answer of the responder is too large');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }
}

function readAnswer(text: string): string[] {
  try {
    return answerSchema.parse(JSON.parse(text));
  } catch {
    throw new RunFailed('The answer of the responder is not {"content": …} or {"messages": […]}');
  }
}

/** @throws the reason of the signal when it is aborted meanwhile. */
async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, durationMs);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
  signal.throwIfAborted();
}
