import { SafeFetchError, type SafeFetch } from '@sluice/safe-fetch';
import { signWebhook } from '@sluice/signed-webhooks';
import { MAX_ANSWER_CHARS, retryAfterMs, type AttemptResult, type WebhookEndpoint } from '@sluice/webhook-delivery';
import type { Clock } from '../clock';
import type { EndpointSecrets } from '../endpoint-secrets';
import type { SendSlots } from './send-slots';

/** One request to an application. */
export interface WebhookMessage {
  readonly endpoint: WebhookEndpoint;
  /** `webhook-id`: the same for every attempt. */
  readonly id: string;
  /** The same bytes for every attempt. */
  readonly body: string;
  /** It failed before, or its application is slow. */
  readonly isRetry: boolean;
}

export interface WebhookSenderPorts {
  readonly fetch: SafeFetch;
  readonly slots: SendSlots;
  readonly secrets: EndpointSecrets;
  readonly clock: Clock;
  /** From the start of the request to the head of the answer. */
  readonly timeoutMs: number;
}

/** Most bytes of an answer that are read. */
const MAX_ANSWER_BYTES = 4_096;
/** How long the text of an answer may take once its status is known. */
const ANSWER_READ_MS = 2_000;

/** Sends one signed request and says what came of it. */
export class WebhookSender {
  constructor(private readonly ports: WebhookSenderPorts) {}

  /** Whatever the application does is a result. Rejects only when the signal aborts or this process is to blame. */
  async send(message: WebhookMessage, signal: AbortSignal): Promise<AttemptResult> {
    const { workspaceId, url } = message.endpoint;
    const host = URL.canParse(url) ? new URL(url).host : '';
    const giveBack = await this.ports.slots.take({ workspaceId, host, isRetry: message.isRetry }, signal);
    try {
      return await this.exchange(message, signal);
    } finally {
      giveBack();
    }
  }

  private async exchange({ endpoint, id, body }: WebhookMessage, signal: AbortSignal): Promise<AttemptResult> {
    const { fetch, clock, timeoutMs } = this.ports;
    const startedAtMs = performance.now();
    const durationMs = () => Math.round(performance.now() - startedAtMs);
    const headers = { 'content-type': 'application/json', ...this.signatures(endpoint, id, body, clock.now()) };
    const limits = { timeoutMs, idleTimeoutMs: timeoutMs, maxRedirects: 0, maxBytes: Number.MAX_SAFE_INTEGER };
    try {
      const stream = await fetch.open(endpoint.url, { method: 'POST', headers, body, ...limits }, signal);
      const answer = await beginningOf(stream);
      const wait = retryAfterMs(stream.headers.get('retry-after'), clock.now());
      return {
        kind: 'answered',
        status: stream.status,
        ...(answer !== '' && { answer }),
        ...(wait !== undefined && { retryAfterMs: wait }),
        durationMs: durationMs(),
      };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SafeFetchError) || error.code === 'busy') throw error;
      const { status } = error;
      const reason = reasonOf(error);
      return {
        kind: 'unanswered',
        error: codeOf(error),
        ...(reason !== undefined && { reason }),
        ...(status !== undefined && { status }),
        durationMs: durationMs(),
      };
    }
  }

  /** The headers of Standard Webhooks, with one signature for each secret. */
  private signatures(endpoint: WebhookEndpoint, id: string, body: string, nowMs: number): Record<string, string> {
    const secrets = this.ports.secrets.open(endpoint, nowMs);
    const signed = secrets.map((secret) => signWebhook({ secret, id, timestampMs: nowMs, body }));
    return { ...signed[0], 'webhook-signature': signed.map((headers) => headers['webhook-signature']).join(' ') };
  }
}

/** Deepest chain of causes that is looked through. */
const MAX_CAUSES = 5;

/** What the network or TLS says of it, for instance ECONNREFUSED or CERT_HAS_EXPIRED. */
function reasonOf(error: unknown): string | undefined {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof cause === 'object' && cause !== null; depth++) {
    const { code, errors, cause: next } = cause as { code?: unknown; errors?: unknown; cause?: unknown };
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code)) return code;
    // Of several addresses the first speaks for all.
    cause = Array.isArray(errors) ? (errors[0] as unknown) : next;
  }
  return undefined;
}

/** Redirects are not followed: a signed event goes where its owner said, and nowhere else. */
function codeOf({ code }: SafeFetchError): string {
  return code === 'too_many_redirects' ? 'redirect' : code;
}

/** How the text of an answer begins. What is wrong with it says nothing about the delivery: its status is known. */
async function beginningOf(stream: Awaited<ReturnType<SafeFetch['open']>>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const timer = setTimeout(() => stream.close(), ANSWER_READ_MS);
  try {
    for await (const chunk of stream.body) {
      chunks.push(chunk.subarray(0, MAX_ANSWER_BYTES - bytes));
      bytes += chunk.length;
      if (bytes >= MAX_ANSWER_BYTES) break;
    }
  } catch {
    // What was read until then is kept.
  } finally {
    clearTimeout(timer);
    stream.close();
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, MAX_ANSWER_CHARS);
}
