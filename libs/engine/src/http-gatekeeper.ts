import {
  isStreamTokenText,
  type AccessControl,
  type CallerLimiter,
  type Credentials,
  type CredentialWatch,
  type FailedAuthenticationLimiter,
  type Principal,
} from '@sluice/access';
import type { SluiceError } from '@sluice/event-log';
import { clientAddress, readBearer } from '@sluice/service-runtime';
import type { FastifyRequest } from 'fastify';
import type { HttpConfig } from './http-settings';
import { comesOverLoopback } from './loopback-caller';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling, once a door has let it in. */
    principal?: Principal;
  }
}

/** What else a door takes for a credential than an API key or an access token in the headers. */
export interface AdmitOptions {
  /** Lets stream tokens in, as `Authorization: Bearer` or as `?token=` for browsers, which can set no headers there. */
  readonly queryToken?: boolean;
  /** Lets in who comes over loopback without credentials, where `SLUICE_LOOPBACK_WORKSPACE` says so. */
  readonly loopback?: boolean;
}

/** Who may come in by HTTP. One per process, so that limits are counted once. */
export class HttpGatekeeper {
  constructor(
    private readonly access: AccessControl,
    private readonly limiter: CallerLimiter,
    private readonly failures: FailedAuthenticationLimiter,
    private readonly http: Pick<HttpConfig, 'loopbackWorkspace'> = {},
  ) {}

  /**
   * The caller of a request, counted against its rate. A credential that was accepted lately costs no waiting.
   * @throws SluiceError `unauthorized`, `token_expired`, `rate_limited`, `read_model_unavailable`, `key_set_unavailable`,
   *   `overloaded`
   */
  admit(request: FastifyRequest, options: AdmitOptions = {}): Principal | Promise<Principal> {
    const local = options.loopback === true ? this.localCaller(request) : undefined;
    if (local !== undefined) return this.count(request, local);
    const credentials = options.queryToken === true ? withStreamToken(request) : readBearer(request.headers);
    const known = this.access.authenticateCached(credentials);
    return known === undefined ? this.authenticate(request, credentials) : this.count(request, known);
  }

  /** Counts the events of a request that `admit` let in: a batch costs its caller as much as its events one by one. */
  takeEvents(principal: Principal, events: number): void {
    this.limiter.takeEvents(principal, events);
  }

  /**
   * Watches over the credential of a caller for as long as a stream of its is open: calls back once, with the reason,
   * when it expires or is revoked. Cancel it when the stream ends.
   */
  watch(principal: Principal, onEnded: (reason: SluiceError) => void): CredentialWatch {
    return this.access.watch(principal, onEnded);
  }

  private async authenticate(request: FastifyRequest, credentials: Credentials): Promise<Principal> {
    return this.count(request, await this.failures.guard(clientAddress(request), this.access, credentials));
  }

  /** Known before it is counted: an answer that it came too often can tell how often it may. */
  private count(request: FastifyRequest, principal: Principal): Principal {
    request.principal = principal;
    this.limiter.takeRequest(principal);
    return principal;
  }

  /** Whoever presents a credential is judged by it, good or bad. */
  private localCaller(request: FastifyRequest): Principal | undefined {
    const { loopbackWorkspace: workspaceId } = this.http;
    if (workspaceId === undefined || presentsCredential(request) || !comesOverLoopback(request)) return undefined;
    return { kind: 'local', workspaceId };
  }
}

/** The credentials of a request to a door for stream tokens. What is in the address is never taken for anything else. */
function withStreamToken(request: FastifyRequest): Credentials {
  const { apiKey, bearer } = readBearer(request.headers);
  if (apiKey !== undefined) return { apiKey };
  if (bearer !== undefined) return isStreamTokenText(bearer) ? { streamToken: bearer } : { bearer };
  const token = queryToken(request);
  return typeof token === 'string' ? { streamToken: token } : {};
}

function presentsCredential(request: FastifyRequest): boolean {
  const { authorization, 'x-api-key': apiKey } = request.headers;
  return authorization !== undefined || apiKey !== undefined || queryToken(request) !== undefined;
}

function queryToken({ query }: FastifyRequest): unknown {
  return typeof query === 'object' && query !== null && 'token' in query ? query.token : undefined;
}
