import {
  authorise,
  type AccessControl,
  type CallerLimiter,
  type ConnectionLease,
  type CredentialWatch,
  type FailedAuthenticationLimiter,
  type Principal,
} from '@sluice/access';
import { SluiceError, type EventFilter } from '@sluice/event-log';

/** Who may come in by this port, and what for. */
export class Gate {
  constructor(
    private readonly access: AccessControl,
    private readonly limiter: CallerLimiter,
    private readonly failures: FailedAuthenticationLimiter,
  ) {}

  /**
   * The holder of an API key or a sandbox's access token, counted against its rate.
   * @throws SluiceError `unauthorized`, `token_expired`, `rate_limited`, `read_model_unavailable`,
   *   `key_set_unavailable`, `overloaded`
   */
  async admit(address: string, credential: string): Promise<Principal> {
    const credentials = { bearer: credential };
    const principal =
      this.access.authenticateCached(credentials) ?? (await this.failures.guard(address, this.access, credentials));
    this.takeRequest(principal);
    return principal;
  }

  /** Calls back once, with the reason, when the credential expires or is revoked. */
  watch(principal: Principal, onEnded: (reason: SluiceError) => void): CredentialWatch {
    return this.access.watch(principal, onEnded);
  }

  /** @throws SluiceError `rate_limited` */
  takeRequest(principal: Principal): void {
    this.limiter.takeRequest(principal);
  }

  /** @throws SluiceError `too_many_connections` */
  openConnection(principal: Principal): ConnectionLease {
    return this.limiter.openConnection(principal);
  }

  /** The events of one sandbox. @throws SluiceError `unauthorized` for a foreign one, `forbidden` */
  sandboxFilter(principal: Principal, sandboxId: string): EventFilter {
    const workspaceId = ownWorkspace(principal);
    authorise(principal, 'stream', { workspaceId, family: 'sandbox', entityId: sandboxId });
    return { workspaceIds: [workspaceId], families: ['sandbox'], entityIds: [sandboxId] };
  }

  /** The events of all sandboxes of the principal's workspace. @throws SluiceError `forbidden` */
  workspaceFilter(principal: Principal): EventFilter {
    const workspaceId = ownWorkspace(principal);
    authorise(principal, 'stream', { workspaceId, family: 'sandbox' });
    return { workspaceIds: [workspaceId], families: ['sandbox'] };
  }
}

/** A channel says no workspace, so an operator's key, which belongs to none, cannot mean one. */
function ownWorkspace({ workspaceId }: Principal): number {
  if (workspaceId === null) throw new SluiceError('forbidden', 'This port needs a key of one workspace');
  return workspaceId;
}
