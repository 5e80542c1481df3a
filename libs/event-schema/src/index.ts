export { EventCatalogue, CatalogueError } from './catalogue/catalogue';
export { eventCatalogue } from './catalogue/event-catalogue';
export {
  defineEventType,
  type EventData,
  type EventTypeDefinition,
  type EventTypeHistory,
  type EventTypeName,
  type Upcaster,
} from './catalogue/event-type';
export {
  cloudEventSchema,
  fromCloudEvent,
  toCloudEvent,
  type CloudEvent,
  type CloudEventInput,
} from './cloudevents/cloud-event';
export {
  CLOUD_EVENT_HEADER_PREFIX,
  cloudEventFromHeaders,
  cloudEventHeaders,
  cloudEventMode,
  type CloudEventMode,
} from './cloudevents/http-binding';
export { cloudEventSource, parseCloudEventSource, type CloudEventOrigin } from './cloudevents/source';
export {
  entityIdSchema,
  entityKey,
  eventDataSchema,
  eventEnvelopeSchema,
  eventIdSchema,
  eventTypeSchema,
  safeNameSchema,
  timestampMsSchema,
  workspaceIdSchema,
  type EventEnvelope,
} from './envelope';
export { EVENT_FAMILIES, eventFamilySchema, type EventFamily } from './family';
export { eventIdFromIdempotencyKey, newEventId, type IdempotencyScope } from './ids';
export { exportJsonSchemas, jsonSchemaFileName, type JsonSchema } from './json-schema';
export {
  MAX_BATCH_EVENTS,
  MAX_DATA_DEPTH,
  MAX_EVENT_BYTES,
  MAX_NAME_LENGTH,
  MAX_TIMESTAMP_MS,
  MAX_WORKSPACE_ID,
} from './limits';
export { brokerNames, type BrokerNames } from './names';
export {
  decodeRecordedEvent,
  encodeEnvelope,
  recordEnvelope,
  recordedEventSchema,
  type Encoded,
  type EncodedEnvelope,
  type EncodedRecordedEvent,
  type Epoch,
  type Position,
  type RecordedEvent,
  type Recording,
} from './recorded-event';
export { SANDBOX_EVENT_TYPES, type SandboxEventType } from './sandbox/event-types';
export { sandboxEventSchema, toSandboxEvent, type SandboxEvent } from './sandbox/sandbox-event';
