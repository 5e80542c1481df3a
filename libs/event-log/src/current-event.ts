import {
  encodeEnvelope,
  eventCatalogue,
  recordEnvelope,
  type EncodedEnvelope,
  type EncodedRecordedEvent,
  type Recording,
} from '@sluice/event-schema';

/**
 * A recorded event in its current version; the text is encoded anew only when an upcaster changed it.
 * @throws CatalogueError when the catalogue has no way to the current version
 */
export function currentRecordedEvent(envelope: EncodedEnvelope, recording: Recording): EncodedRecordedEvent {
  const current = eventCatalogue.upcast(envelope.event);
  return recordEnvelope(current === envelope.event ? envelope : encodeEnvelope(current), recording);
}
