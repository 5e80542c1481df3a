import { SluiceError } from '@sluice/event-log';
import type { PresenceBoard, PresenceMembership, PresencePlace, PresentSubscriber } from './presence-board';
import { PresenceGroups, presenceKey, requirePresenceName } from './presence-groups';

/** All subscribers are at this process. */
export class MemoryPresenceBoard implements PresenceBoard {
  private readonly groups = new PresenceGroups();
  private isClosed = false;

  async join(
    place: PresencePlace,
    name: string,
    onChange: (present: readonly PresentSubscriber[]) => void,
  ): Promise<PresenceMembership> {
    if (this.isClosed) throw new SluiceError('shutting_down', 'The server is shutting down');
    requirePresenceName('group', place.group);
    requirePresenceName('name', name);
    const key = presenceKey(place);
    const memberId = crypto.randomUUID();
    this.groups.add(key, { memberId, name, since: Date.now() }, onChange);
    return { memberId, leave: () => void this.groups.remove(key, memberId) };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.groups.clear();
  }
}
