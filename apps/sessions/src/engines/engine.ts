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
  /** 1 for the first process that took it; later ones took it over from a process that died, or that failed. */
  readonly attempt: number;
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

/** This process works on as many runs as it takes: it is tried again, here or elsewhere, as often as it takes. */
export class EngineBusy extends Error {
  override readonly name = 'EngineBusy';
}

/** Something that works on runs. */
export interface Engine {
  /**
   * Resolves when the engine has been told, or, of one that works in this process, when it has done what it was told. It
   * may be called again with the same task after a crash.
   * @throws EngineFailed when the run is to be given up; anything else is tried again later.
   */
  handle(task: EngineTask): Promise<void>;
}
