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
  isWithinDepth,
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
export { PUBLIC_WORKSPACE_ID } from './public-workspace';
export {
  DOCUMENTED_REGISTRY_EVENT_TYPES,
  REGISTRY_CATEGORIES,
  REGISTRY_EVENT_TYPES,
  type DocumentedRegistryEventType,
  type RegistryCategory,
  type RegistryEventType,
} from './registry/event-types';
export { registryFeedbackSchema, type RegistryFeedback } from './registry/feedback-data';
export {
  MAX_AGENT_DESCRIPTION_LENGTH,
  MAX_DECLARED_CLASSES,
  MAX_METADATA_ENTRIES,
  MAX_METADATA_VALUE_LENGTH,
  MAX_REGISTRATION_ERROR_LENGTH,
  MAX_REGISTRATION_SERVICES,
  MAX_SERVICE_NAME_LENGTH,
  registrationFileSummarySchema,
  registrationSchema,
  type AgentRegistration,
  type RegistrationFileSummary,
} from './registry/registration-data';
export {
  HIDDEN_REGISTRY_DETAILS,
  registryEventDataSchema,
  shownRegistryFields,
  type RegistryEventData,
} from './registry/registry-data';
export {
  registryErrorBody,
  registryErrorSchema,
  toRegistryError,
  type RefusedRequest,
  type RegistryError,
} from './registry/registry-error';
export {
  MAX_REGISTRY_LABEL_LENGTH,
  MAX_REGISTRY_LIST_ITEMS,
  MAX_REGISTRY_TEXT_LENGTH,
  agentIdSchema,
  chainIdSchema,
} from './registry/registry-fields';
export { toRegistryPayload, type RegistryPayload } from './registry/registry-payload';
export { SANDBOX_EVENT_TYPES, type SandboxEventType } from './sandbox/event-types';
export { sandboxEventSchema, toSandboxEvent, type SandboxEvent } from './sandbox/sandbox-event';
export {
  MAX_SESSION_CONTENT_BLOCKS,
  MAX_SESSION_LABEL_LENGTH,
  MAX_SESSION_TEXT_LENGTH,
  SESSION_DOCUMENT_MEDIA_TYPES,
  SESSION_IMAGE_MEDIA_TYPES,
} from './session/content-blocks';
export { engineSessionEventSchema, type EngineSessionEvent } from './session/engine-event';
export {
  ENGINE_SESSION_EVENT_TYPES,
  LISTABLE_SESSION_EVENT_TYPES,
  OWN_SESSION_EVENT_TYPES,
  SENDABLE_SESSION_EVENT_TYPES,
  SESSION_EVENT_TYPES,
  STORED_SESSION_EVENT_TYPES,
  isShownSessionEventType,
  type EngineSessionEventType,
  type ListableSessionEventType,
  type OwnSessionEventType,
  type SendableSessionEventType,
  type SessionEventType,
  type StoredSessionEventType,
} from './session/event-types';
export {
  MAX_DENY_MESSAGE_LENGTH,
  MAX_OUTCOME_ITERATIONS,
  MAX_RUBRIC_LENGTH,
  sendSessionEventSchema,
  type SendSessionEvent,
} from './session/send-event';
export {
  MAX_PROCESSED_INPUTS,
  sessionEventDataSchema,
  sessionTimeSchema,
  type SessionEventData,
  type SessionEventNotes,
} from './session/session-data';
export {
  MAX_SESSION_EVENT_ID_LENGTH,
  sessionEnvelopeId,
  sessionEventIdSchema,
  sessionIdSchema,
} from './session/session-ids';
export {
  MAX_SESSION_DELTA_LENGTH,
  PREVIEWED_SESSION_EVENT_TYPES,
  engineReportEntrySchema,
  isSessionDelta,
  sessionDeltaSchema,
  type EngineReportEntry,
  type PreviewedSessionEventType,
  type SessionDelta,
} from './session/session-deltas';
export {
  MAX_REQUIRED_ACTIONS,
  RETRY_STATUSES,
  SESSION_ERROR_TYPES,
  retryStatusSchema,
  sessionErrorSchema,
  stopReasonSchema,
  type RetryStatus,
  type SessionError,
  type SessionErrorType,
  type StopReason,
} from './session/session-outcomes';
export { toSessionPayload } from './session/session-payload';
export { textSchema } from './text';
export { WORKSPACE_CHANNELS, workspaceChannel, type WorkspaceChannel } from './workspace/channels';
export { CRON_JOB_TYPES, cronJobSchema, type CronJob } from './workspace/cron-data';
export {
  MAX_WORKSPACE_OBJECT_ID_LENGTH,
  WORKSPACE_ENTITY_KINDS,
  workspaceEntityId,
  workspaceObjectIdSchema,
  type WorkspaceEntityKind,
} from './workspace/entities';
export {
  DOCUMENTED_WORKSPACE_EVENTS,
  WORKSPACE_EVENT_TYPES,
  workspaceDocumentName,
  type WorkspaceEventType,
} from './workspace/event-types';
export { MAX_WORKSPACE_PATH_LENGTH, MAX_WORKSPACE_TEXT_LENGTH, MAX_WORKSPACE_TITLE_LENGTH } from './workspace/fields';
export {
  groupChatMemberSchema,
  groupChatSettingsSchema,
  type GroupChatMember,
  type GroupChatSettings,
} from './workspace/group-chat-data';
export { SESSION_STATUSES, sessionStatusSchema, type SessionStatus } from './workspace/session-data';
export { TASK_STATUSES, taskStatusSchema, type TaskStatus } from './workspace/task-data';
export { workspaceEventDataSchema, type WorkspaceEventData } from './workspace/workspace-data';
export {
  WORKSPACE_FORMATS,
  toWorkspacePayload,
  type WorkspaceFormat,
  type WorkspacePayload,
} from './workspace/workspace-payload';
