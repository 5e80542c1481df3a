import { request as httpRequest } from 'node:http';

/** Parsed JSON, which tests may look into. */
export type Json = ReturnType<typeof JSON.parse>;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body, parsed; undefined when it is not JSON. */
  readonly body: Json;
}

export interface SendOptions {
  readonly method?: string;
  readonly key?: string;
  readonly bearer?: string;
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  /** Sent in place of `json`, as it is. */
  readonly raw?: string | Buffer;
  readonly contentType?: string;
}

/** One request on a connection of its own; no header but those that are named. */
export function send(baseUrl: string, path: string, options: SendOptions): Promise<Answer> {
  const { method = 'POST', key, bearer, json, raw, contentType = 'application/json' } = options;
  const body = raw ?? (json === undefined ? undefined : JSON.stringify(json));
  const { hostname, port } = new URL(baseUrl);
  const headers = {
    ...(key === undefined ? {} : { 'x-api-key': key }),
    ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    ...(body === undefined || contentType === '' ? {} : { 'content-type': contentType }),
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
