import type { Principal } from '@sluice/access';
import type { PresenceBoard, PresencePlace, PresentSubscriber } from '@sluice/delivery';
import { SluiceError } from '@sluice/event-log';
import type { SocketLimits } from './limits';
import type { PresenceRequest } from './messages';
import type { Wire } from './session';

/**
 * Where a caller may be present: in its own workspace, never in the one that is public to all.
 * @throws SluiceError `invalid_request`, `forbidden`
 */
export function presencePlace(
  principal: Principal,
  { group }: PresenceRequest,
  wantedWorkspaceId: number | undefined,
): PresencePlace {
  const families = principal.kind === 'stream' ? principal.scope.families : undefined;
  if (principal.kind === 'sandbox' || (families && !families.includes('workspace'))) {
    throw new SluiceError('forbidden', 'These credentials do not show who is in the workspace', { where: 'presence' });
  }
  // Only an operator has no workspace of its own.
  const workspaceId = principal.workspaceId ?? wantedWorkspaceId;
  if (workspaceId === undefined) {
    throw new SluiceError('invalid_request', 'workspaceId is required with these credentials', {
      where: 'filter.workspaceId',
    });
  }
  return { workspaceId, group };
}

/** One subscription's part in a group: tells the client who is present, always the newest only. */
export class SubscriberPresence {
  private memberId: string | undefined;
  private latest: readonly PresentSubscriber[] | undefined;
  private hasLeft = false;
  private leaveBoard: () => void = () => undefined;
  private readonly tell = () => this.write();

  constructor(
    private readonly id: string,
    private readonly wire: Wire,
    private readonly limits: SocketLimits,
  ) {}

  /** @throws SluiceError `overloaded`, `shutting_down` */
  async join(board: PresenceBoard, place: PresencePlace, name: string): Promise<void> {
    const joined = await board.join(place, name, (present) => {
      this.latest = present;
      this.write();
    });
    this.memberId = joined.memberId;
    this.leaveBoard = () => joined.leave();
    if (this.hasLeft) joined.leave();
    else this.write();
  }

  /** Idempotent. */
  leave(): void {
    this.hasLeft = true;
    this.leaveBoard();
  }

  private write(): void {
    const { latest, memberId, wire, limits } = this;
    if (this.hasLeft || !wire.isOpen || !latest || memberId === undefined) return;
    if (wire.output.isBlocked) return wire.output.onceDrained(this.tell);
    this.latest = undefined;
    const head = `{"type":"presence","id":${JSON.stringify(this.id)},"memberId":${JSON.stringify(memberId)},`;
    wire.output.writeText(head + presentMembers(latest, limits.presentShown));
  }
}

/** A group's members are told the same: it is encoded once for all who are on this replica. */
const ENCODED = new WeakMap<readonly PresentSubscriber[], string>();

function presentMembers(present: readonly PresentSubscriber[], shown: number): string {
  const known = ENCODED.get(present);
  if (known !== undefined) return known;
  const named = present.slice(0, shown).map(({ memberId, name, since }) => ({ memberId, name, since }));
  const text = `"total":${present.length},"present":${JSON.stringify(named)}}`;
  ENCODED.set(present, text);
  return text;
}
