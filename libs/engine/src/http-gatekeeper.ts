import type { AccessControl, CallerLimiter, FailedAuthenticationLimiter, Principal } from '@sluice/access';
import { clientAddress, readBearer } from '@sluice/service-runtime';
import type { FastifyRequest } from 'fastify';

/** Who may come in by HTTP. One per process, so that limits are counted once. */
export class HttpGatekeeper {
  constructor(
    private readonly access: AccessControl,
    private readonly limiter: CallerLimiter,
    private readonly failures: FailedAuthenticationLimiter,
  ) {}

  /**
   * The caller of a request, counted against its rate. A credential that was accepted lately costs no waiting.
   * @throws SluiceError `unauthorized`, `token_expired`, `rate_limited`, `read_model_unavailable`
   */
  admit(request: FastifyRequest): Principal | Promise<Principal> {
    const credentials = readBearer(request.headers);
    const known = this.access.authenticateCached(credentials);
    if (known === undefined) return this.authenticate(request, credentials);
    this.limiter.takeRequest(known);
    return known;
  }

  private async authenticate(request: FastifyRequest, credentials: ReturnType<typeof readBearer>): Promise<Principal> {
    const principal = await this.failures.guard(clientAddress(request), () => this.access.authenticate(credentials));
    this.limiter.takeRequest(principal);
    return principal;
  }
}
