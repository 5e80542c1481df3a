import { currentRecordedEvent, isAccepted, toPosition, type RedactOptions } from '@sluice/event-log';
import { encodeEnvelope } from '@sluice/event-schema';
import type { ProjectEvent } from '../record-transaction';

const ANYWHERE = { position: toPosition(1), entitySequence: 1, recordedAt: 0 };

/** An event with changed data is one when the catalogue takes it and projections can do with it. */
export function acceptsIn(project: ProjectEvent): RedactOptions {
  return {
    accepts: (event) => {
      if (!isAccepted(event)) return false;
      try {
        project(currentRecordedEvent(encodeEnvelope(event), ANYWHERE).event);
        return true;
      } catch {
        return false;
      }
    },
  };
}
