import type { RecordedEvent, SandboxEventType } from '@sluice/event-schema';
import type { SandboxActivityChange, SandboxStatus } from './change';

type Effect = { readonly [K in 'executionsStarted' | 'executionsCompleted' | 'executionsFailed']?: 1 } & {
  readonly status?: SandboxStatus;
};

const NONE: Effect = {};

/** What each documented type means for its sandbox. The compiler asks for a line when a type is added. */
const EFFECTS: Record<SandboxEventType, Effect> = {
  'execution.started': { executionsStarted: 1 },
  'execution.completed': { executionsCompleted: 1 },
  'execution.failed': { executionsFailed: 1 },
  'execution.timeout': { executionsFailed: 1 },
  'file.created': NONE,
  'file.updated': NONE,
  'file.deleted': NONE,
  'file.read': NONE,
  'terminal.created': NONE,
  'terminal.output': NONE,
  'terminal.input': NONE,
  'terminal.closed': NONE,
  'process.started': NONE,
  'process.exited': NONE,
  'process.signal': NONE,
  'http.request': NONE,
  'http.response': NONE,
  'system.ready': { status: 'ready' },
  'system.shutdown': { status: 'shut_down' },
  'system.error': { status: 'failed' },
  custom: NONE,
};

const effectOf = (type: string): Effect => (Object.hasOwn(EFFECTS, type) ? EFFECTS[type as SandboxEventType] : NONE);

/** The activity of a sandbox that one of its events shows. */
export function projectSandboxActivity(event: RecordedEvent): SandboxActivityChange {
  const { status, executionsStarted = 0, executionsCompleted = 0, executionsFailed = 0 } = effectOf(event.type);
  return {
    kind: 'sandbox_activity',
    workspaceId: event.workspaceId,
    sandboxId: event.entityId,
    ...(status === undefined ? {} : { status }),
    executionsStarted,
    executionsCompleted,
    executionsFailed,
    lastPosition: event.position,
    lastOccurredAt: event.occurredAt,
  };
}

/** Folds changes, in position order, into one for each sandbox. */
export function mergeSandboxActivities(changes: readonly SandboxActivityChange[]): readonly SandboxActivityChange[] {
  const merged = new Map<string, SandboxActivityChange>();
  for (const change of changes) {
    const key = JSON.stringify([change.workspaceId, change.sandboxId]);
    const earlier = merged.get(key);
    merged.set(key, earlier === undefined ? change : mergeSandboxActivity(earlier, change));
  }
  return [...merged.values()];
}

/** One change with the effect of `earlier`, then `later`. */
function mergeSandboxActivity(earlier: SandboxActivityChange, later: SandboxActivityChange): SandboxActivityChange {
  return {
    ...earlier,
    ...later,
    executionsStarted: earlier.executionsStarted + later.executionsStarted,
    executionsCompleted: earlier.executionsCompleted + later.executionsCompleted,
    executionsFailed: earlier.executionsFailed + later.executionsFailed,
  };
}
