import type { EngineReport, SessionEventBody, UsageDelta } from '@sluice/agent-sessions';

/** What an engine is told, in the form of the adapter contract. */
export interface EngineCall {
  readonly type: 'run.start' | 'run.input' | 'run.interrupt' | 'session.deleted';
  readonly session_id: string;
  /** Null when the session was deleted. */
  readonly run_id: string | null;
  /** As they are listed; files are there as base64. */
  readonly input_events: readonly Readonly<Record<string, unknown>>[];
  readonly agent: Readonly<Record<string, unknown>>;
  readonly session: Readonly<Record<string, unknown>>;
  /** Absent when the run is over. */
  readonly callback?: { readonly url: string; readonly secret: string };
}

/** One thing to tell, and how the engine reports. */
export interface EngineTask {
  /** The same for each attempt to tell it: the `webhook-id`. */
  readonly deliveryId: string;
  readonly workspaceId: number;
  /** `built-in`, `process`, `model`, or the id of a registered engine. */
  readonly engine: string;
  readonly call: EngineCall;
  /** How often it failed, or was left by who worked on it, before. */
  readonly failures: number;
  /** How long ago it failed first; 0 when it did not. */
  readonly failingForMs: number;
  /** Aborted when this process is to let go of it: it stops, its claim is another's, or the run is over. */
  readonly signal: AbortSignal;
  /**
   * Says that what follows is long work of this process: it takes a place among its runs from now on, none among what is
   * being told. To be called before anything is done.
   * @throws EngineBusy when this process has as many runs as it takes
   */
  detach(): void;
  /**
   * Reports of the run. A report of the same name again, of the same run, has the effect of one, whatever is in it.
   * @throws SluiceError `conflict` when the run is over: the engine has to stop
   */
  report(name: string, events: EngineReport['events'], usageDelta?: UsageDelta): Promise<readonly SessionEventBody[]>;
}

/** The engine could not be told, or could not work, and trying again is of no use now: its run is given up. */
export class EngineFailed extends Error {
  override readonly name = 'EngineFailed';
  constructor(
    /** For the user: why. */
    readonly shown: string,
    cause?: unknown,
  ) {
    super(shown, { cause });
  }
}

/** The engine could not be told now; it may be later. */
export class EngineUnreached extends Error {
  override readonly name = 'EngineUnreached';
  constructor(
    message: string,
    /** When it is to be tried again. */
    readonly delayMs: number,
  ) {
    super(message);
  }
}

/** This process works on as many runs as it takes: it is tried again, here or elsewhere, as often as it takes. */
export class EngineBusy extends Error {
  override readonly name = 'EngineBusy';
}

/** How much is told at a time. What is beyond it waits. */
export interface EngineBounds {
  /** To one engine. */
  readonly ofEngine: number;
  /** To all engines of this kind that one workspace has. */
  readonly ofWorkspace: number;
}

/** Something that works on runs. */
export interface Engine {
  /** For engines that may be slow to answer; without it all that is told counts alike. */
  readonly bounds?: EngineBounds;
  /**
   * Resolves when the engine has been told, or, of one that works in this process, when it has done what it was told. It
   * may be called again with the same task after a crash.
   * @throws EngineFailed when the run is to be given up; EngineBusy when it has to wait; EngineUnreached, or anything
   *   else, when it is tried again later.
   */
  handle(task: EngineTask): Promise<void>;
}
