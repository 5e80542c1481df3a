import type {
  AccessControl,
  CallerLimiter,
  CredentialWatch,
  FailedAuthenticationLimiter,
  Principal,
} from '@sluice/access';
import type { SluiceError } from '@sluice/event-log';
import { clientAddress, readBearer } from '@sluice/service-runtime';
import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling, once a door has let it in. */
    principal?: Principal;
  }
}

/** Who may come in by HTTP. One per process, so that limits are counted once. */
export class HttpGatekeeper {
  constructor(
    private readonly access: AccessControl,
    private readonly limiter: CallerLimiter,
    private readonly failures: FailedAuthenticationLimiter,
  ) {}

  /**
   * The caller of a request, counted against its rate. A credential that was accepted lately costs no waiting.
   * @throws SluiceError `unauthorized`, `token_expired`, `rate_limited`, `read_model_unavailable`, `key_set_unavailable`,
   *   `overloaded`
   */
  admit(request: FastifyRequest): Principal | Promise<Principal> {
    const credentials = readBearer(request.headers);
    const known = this.access.authenticateCached(credentials);
    if (known === undefined) return this.authenticate(request, credentials);
    this.limiter.takeRequest(known);
    return known;
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

  private async authenticate(request: FastifyRequest, credentials: ReturnType<typeof readBearer>): Promise<Principal> {
    const principal = await this.failures.guard(clientAddress(request), this.access, credentials);
    this.limiter.takeRequest(principal);
    return principal;
  }
}
