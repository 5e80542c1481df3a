import { defineEventType, type EventTypeDefinition } from '../catalogue/event-type';
import { eventDataSchema } from '../envelope';
import { SANDBOX_EVENT_TYPES, type SandboxEventType } from './event-types';

const DESCRIPTIONS: Record<SandboxEventType, string> = {
  'execution.started': 'Code began to run.',
  'execution.completed': 'Code ran to its end.',
  'execution.failed': 'Code ended with an error.',
  'execution.timeout': 'Code was stopped because it ran too long.',
  'file.created': 'A file was created.',
  'file.updated': 'A file was written to.',
  'file.deleted': 'A file was deleted.',
  'file.read': 'A file was read.',
  'terminal.created': 'A terminal was opened.',
  'terminal.output': 'A terminal printed something.',
  'terminal.input': 'Something was typed into a terminal.',
  'terminal.closed': 'A terminal was closed.',
  'process.started': 'A process began.',
  'process.exited': 'A process ended.',
  'process.signal': 'A process received a signal.',
  'http.request': 'The sandbox received or made an HTTP request.',
  'http.response': 'An HTTP request was answered.',
  'system.ready': 'The sandbox can be used.',
  'system.shutdown': 'The sandbox is ending.',
  'system.error': 'The sandbox itself failed.',
  custom: 'Anything that the code in the sandbox wants to say.',
};

/** No fields of `data` are documented, so every object is accepted for every type. */
export const sandboxEventTypes: readonly EventTypeDefinition[] = SANDBOX_EVENT_TYPES.map((type) =>
  defineEventType({ family: 'sandbox', type, description: DESCRIPTIONS[type] }, eventDataSchema),
);
