import { SluiceError } from '@sluice/event-log';

/** The forms of request that an endpoint may take. */
export const CLASSIFIER_APIS = ['messages', 'chat-completions'] as const;

/** `messages`: `POST …/v1/messages`. `chat-completions`: `POST …/chat/completions`. */
export type ClassifierApi = (typeof CLASSIFIER_APIS)[number];

export interface ClassifierConfig {
  readonly api: ClassifierApi;
  /** The base URL of the operator's endpoint; no other host is ever asked. */
  readonly url: string;
  /** Endpoints of one's own may need none. */
  readonly key?: string;
  readonly model: string;
  /** Requests in any hour, repeated ones included. */
  readonly budgetPerHour: number;
  /** From a request to the last byte of its answer; default 30 s. */
  readonly timeoutMs?: number;
}

/**
 * Where requests go. A base that has the full path already is taken as it is; one without a path gets `/v1` too, and one for
 * `messages` gets it unless it ends so. A query is kept.
 * @throws SluiceError `configuration` for what is no http(s) URL, or one with credentials in it.
 */
export function endpointUrl({ api, url }: Pick<ClassifierConfig, 'api' | 'url'>): string {
  const endpoint = URL.canParse(url) ? new URL(url) : undefined;
  if (endpoint === undefined || !/^https?:$/.test(endpoint.protocol)) {
    throw new SluiceError('configuration', 'The URL of the classifier must be an http or https URL');
  }
  if (endpoint.username !== '' || endpoint.password !== '') {
    throw new SluiceError('configuration', 'The URL of the classifier must not hold credentials; use its key setting');
  }
  endpoint.hash = '';
  const base = endpoint.pathname.replace(/\/+$/, '');
  const path = api === 'messages' ? '/messages' : '/chat/completions';
  if (base.endsWith(path)) endpoint.pathname = base;
  else if (base.endsWith('/v1') || (api === 'chat-completions' && base !== '')) endpoint.pathname = `${base}${path}`;
  else endpoint.pathname = `${base}/v1${path}`;
  return endpoint.href;
}
