import type {
  PresenceBoard,
  PresenceMembership,
  PresencePlace,
  PresenceSignals,
  PresentSubscriber,
} from './presence-board';
import { PresenceGroups } from './presence-groups';

/** All subscribers are at this process. */
export class MemoryPresenceBoard implements PresenceBoard {
  private readonly groups: PresenceGroups;

  constructor(signals: PresenceSignals = {}) {
    this.groups = new PresenceGroups(signals);
  }

  async join(
    place: PresencePlace,
    name: string,
    onChange: (present: readonly PresentSubscriber[]) => void,
  ): Promise<PresenceMembership> {
    const joined = this.groups.join(place, name, onChange);
    return { memberId: joined.memberId, leave: () => void this.groups.leave(joined) };
  }

  async close(): Promise<void> {
    this.groups.close();
  }
}
