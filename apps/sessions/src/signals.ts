import type { SluiceError } from '@sluice/event-log';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';
import type { FastifyRequest } from 'fastify';
import type { DispatchOutcome } from './engines/dispatcher';

const COMMAND_ENDS = ['done', 'refused', 'repeated', 'unconfirmed'] as const;
const COMMAND_REFUSALS = ['key', 'total'] as const;

/** What came of a command on a session. */
export type CommandEnd = (typeof COMMAND_ENDS)[number];

/** The loops of this app. */
export type SessionLoop = 'outbox' | 'dispatcher' | 'run reaper' | 'files' | 'receipts' | 'leftovers';

/** Everything that the app of sessions tells its operators, beyond what every service does. */
export interface SessionSignals {
  /** A door answered with an error. */
  refused(error: SluiceError, request: FastifyRequest): void;
  commandEnded(end: CommandEnd, durationMs: number): void;
  /** Another replica's command on the same session was first; it is decided again. */
  commandConflicted(): void;
  /** A command that found too many before it. */
  refusedCommand(reason: (typeof COMMAND_REFUSALS)[number]): void;
  appended(events: number): void;
  appendFailed(error: unknown): void;
  dispatched(outcome: DispatchOutcome): void;
  /** A line that the process of a run wrote to its standard error. */
  engineLine(sessionId: string, runId: string, line: string): void;
  /** A request to the model failed. */
  modelFailed(failure: { readonly message: string; readonly said?: string | undefined }): void;
  /** The processes of runs are to be of the same user as this one, whose secrets they can read. */
  engineSharesUser(): void;
  fault(loop: SessionLoop, error: unknown): void;
}

export function createSessionSignals(metrics: MetricsRegistry, logger: Logger): SessionSignals {
  const commands = metrics.counter({
    name: 'sluice_session_commands_total',
    help: 'Commands on sessions, by what came of them: unconfirmed ones are stored, and not yet known to be in the log.',
    labels: ['outcome'],
    values: { outcome: COMMAND_ENDS },
  });
  const durations = metrics.histogram({
    name: 'sluice_session_command_duration_seconds',
    help: 'From a command to its answer, the wait for the log and the read model included.',
    labels: [],
  });
  const conflicts = metrics.counter({
    name: 'sluice_session_conflicts_total',
    help: 'Commands that were decided again because another replica was first.',
  });
  const refusedCommands = metrics.counter({
    name: 'sluice_session_commands_overloaded_total',
    help: 'Commands that found too many waiting before them: of the same session (key), or in all (total).',
    labels: ['reason'],
    values: { reason: COMMAND_REFUSALS },
  });
  const appended = metrics.counter({
    name: 'sluice_session_events_appended_total',
    help: 'Events of sessions that this process brought to the durable log.',
  });
  const failures = metrics.counter({
    name: 'sluice_session_append_failures_total',
    help: 'Appends of outboxes to the durable log that failed; they are repeated.',
  });
  const dispatches = metrics.counter({
    name: 'sluice_session_dispatches_total',
    help: 'What was to be told to engines, by what came of it: outdated when its run was over before.',
    labels: ['outcome'],
  });
  const faults = metrics.counter({
    name: 'sluice_session_faults_total',
    help: 'Faults of the loops of this app; they go on.',
    labels: ['loop'],
  });
  return {
    refused: (error, request) => {
      if (error.status < 500) return;
      const line = error.code === 'internal' || error.code === 'configuration' ? 'error' : 'warn';
      logger[line]('request error', {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url,
        code: error.code,
        error,
      });
    },
    commandEnded: (outcome, durationMs) => {
      commands.inc({ outcome });
      durations.observe(durationMs / 1_000);
    },
    commandConflicted: () => conflicts.inc(),
    refusedCommand: (reason) => refusedCommands.inc({ reason }),
    appended: (events) => appended.inc(events),
    appendFailed: (error) => {
      failures.inc();
      logger.warn('outbox not appended', { error });
    },
    dispatched: (outcome) => dispatches.inc({ outcome }),
    engineLine: (sessionId, runId, line) => logger.info('engine process', { sessionId, runId, line }),
    modelFailed: ({ message, said }) => logger.warn('model request failed', { message, said }),
    engineSharesUser: () =>
      logger.warn('processes of engines can read the secrets of this one: SLUICE_SESSION_PROCESS_UID is not set'),
    fault: (loop, error) => {
      faults.inc({ loop });
      logger.warn('session loop fault', { loop, error });
    },
  };
}
