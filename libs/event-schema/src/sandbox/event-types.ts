/** The documented types of the sandbox family. Any other safe name is accepted as a free type. */
export const SANDBOX_EVENT_TYPES = [
  'execution.started',
  'execution.completed',
  'execution.failed',
  'execution.timeout',
  'file.created',
  'file.updated',
  'file.deleted',
  'file.read',
  'terminal.created',
  'terminal.output',
  'terminal.input',
  'terminal.closed',
  'process.started',
  'process.exited',
  'process.signal',
  'http.request',
  'http.response',
  'system.ready',
  'system.shutdown',
  'system.error',
  'custom',
] as const;

export type SandboxEventType = (typeof SANDBOX_EVENT_TYPES)[number];
