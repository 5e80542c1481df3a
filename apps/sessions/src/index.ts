export { sessionsSettings, toSessionsConfig, type SessionsConfig } from './config';
export { sessionsOperations } from './http/operations';
export { createSessionsPart } from './sessions-part';
