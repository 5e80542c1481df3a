import type { CallerLimiter, FailedAuthenticationLimiter, Principal } from '@sluice/access';
import type { SessionState, SessionStore } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { newWebhookSecret, verifyWebhook } from '@sluice/signed-webhooks';
import { clientAddress } from '@sluice/service-runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../clock';

/** Largest report. */
export const MAX_REPORT_BYTES = 8 * 1024 * 1024;

/** Of all reports together whose answer is not out; they are apart from the bodies of other doors. */
const MAX_BYTES_IN_HAND = 64 * 1024 * 1024;
/** Of the reports of one workspace, so that others have room too. */
const MAX_WORKSPACE_BYTES_IN_HAND = 4 * MAX_REPORT_BYTES;
/** Of the reports of one run. */
const MAX_RUN_BYTES_IN_HAND = 2 * MAX_REPORT_BYTES;
const RETRY_AFTER_MS = 1_000;

/** Runs that are remembered to have reported; of more, those of the earliest first report are forgotten. */
const MAX_KNOWN_RUNS = 10_000;

/** Which run a report says to be of. */
export interface ReportPlace {
  readonly sessionId: string;
  readonly runId: string;
}

export interface ReportGuardPorts {
  readonly store: Pick<SessionStore, 'lastState'>;
  readonly failures: Pick<FailedAuthenticationLimiter, 'guardProof'>;
  readonly limiter: Pick<CallerLimiter, 'takeRequest' | 'takeEvents'>;
  readonly clock: Clock;
}

/** A report of a run that there is; that it is signed by its secret is not known yet. */
export interface AdmittedReport {
  readonly workspaceId: number;
  readonly sessionId: string;
  readonly runId: string;
  readonly secret: string;
}

/**
 * Judges reports, which come without an API key: by their head before anything of the body is read, then by their
 * signature. Failures count for the address; a run that has reported well is not held up by its neighbours.
 */
export class ReportGuard {
  private readonly knownRuns = new Set<string>();
  /** In hand: of all, of each workspace and of each run. */
  private readonly bytesInHand = new Map<string, number>();

  constructor(private readonly ports: ReportGuardPorts) {}

  /**
   * By the head alone. Holds room for the body until the answer is out.
   * @throws SluiceError `unauthorized`, `rate_limited`, `overloaded`, `payload_too_large`, `read_model_unavailable`
   */
  async admit(
    { sessionId, runId }: ReportPlace,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<AdmittedReport> {
    const admitted = await this.judge(runId, request, async () => {
      // Over nothing: all but the signature itself.
      const headers = verdictOf(request, newWebhookSecret(), Buffer.alloc(0), this.ports.clock.now());
      if (!headers.ok && headers.reason !== 'signature') throw unauthorized();
      const state = await this.ports.store.lastState(sessionId);
      const secret = state && secretOf(state, runId);
      if (state === undefined || secret === undefined) throw unauthorized();
      return { workspaceId: state.workspaceId, sessionId, runId, secret };
    });
    this.holdRoom(admitted, announcedBytes(request), reply);
    return admitted;
  }

  /** The id of the delivery. @throws SluiceError `unauthorized`, `rate_limited` */
  async verify({ runId, secret, workspaceId }: AdmittedReport, request: FastifyRequest, body: Buffer): Promise<string> {
    const id = await this.judge(runId, request, async () => {
      const verdict = verdictOf(request, secret, body, this.ports.clock.now());
      if (!verdict.ok) throw unauthorized();
      return verdict.id;
    });
    this.know(runId);
    this.ports.limiter.takeRequest(reporterOf(workspaceId));
    return id;
  }

  /** Counts the events of a report against the rate of its workspace. */
  charge({ workspaceId }: AdmittedReport, events: number): void {
    this.ports.limiter.takeEvents(reporterOf(workspaceId), events);
  }

  private judge<T>(runId: string, request: FastifyRequest, judge: () => Promise<T>): Promise<T> {
    const { failures } = this.ports;
    return this.knownRuns.has(runId) ? judge() : failures.guardProof(clientAddress(request), judge);
  }

  private know(runId: string): void {
    this.knownRuns.add(runId);
    if (this.knownRuns.size <= MAX_KNOWN_RUNS) return;
    const [oldest] = this.knownRuns;
    if (oldest !== undefined) this.knownRuns.delete(oldest);
  }

  private holdRoom({ workspaceId, runId }: AdmittedReport, bytes: number, reply: FastifyReply): void {
    if (bytes > MAX_REPORT_BYTES) throw new SluiceError('payload_too_large', 'The report is too large');
    // Its end would never be told of any more.
    if (reply.raw.destroyed) throw new SluiceError('invalid_request', 'The caller went away');
    const bounds: readonly (readonly [string, number])[] = [
      ['all', MAX_BYTES_IN_HAND],
      [`workspace/${workspaceId}`, MAX_WORKSPACE_BYTES_IN_HAND],
      [`run/${runId}`, MAX_RUN_BYTES_IN_HAND],
    ];
    if (bounds.some(([name, max]) => this.inHand(name) + bytes > max)) {
      throw new SluiceError('overloaded', 'Too many reports are in hand', { retryAfterMs: RETRY_AFTER_MS });
    }
    for (const [name] of bounds) this.add(name, bytes);
    reply.raw.once('close', () => {
      for (const [name] of bounds) this.add(name, -bytes);
    });
  }

  private inHand(name: string): number {
    return this.bytesInHand.get(name) ?? 0;
  }

  private add(name: string, bytes: number): void {
    const sum = this.inHand(name) + bytes;
    if (sum > 0) this.bytesInHand.set(name, sum);
    else this.bytesInHand.delete(name);
  }
}

function verdictOf({ headers }: FastifyRequest, secret: string, body: Buffer, nowMs: number) {
  return verifyWebhook({ secrets: [secret], headers, body, nowMs });
}

/** Of the active run or one of the last ones, so that a late report is told from one of a stranger. */
function secretOf({ run, endedRuns }: SessionState, runId: string): string | undefined {
  return [...endedRuns, ...(run ? [run] : [])].find(({ id }) => id === runId)?.callbackSecret;
}

/** One that does not say how long it is may be as long as any. */
function announcedBytes({ headers }: FastifyRequest): number {
  const length = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Number.NaN;
  return Number.isNaN(length) ? MAX_REPORT_BYTES : length;
}

/** All engines of a workspace count as one caller. */
function reporterOf(workspaceId: number): Principal {
  return { kind: 'local', workspaceId };
}

function unauthorized(): SluiceError {
  return new SluiceError('unauthorized', 'Not signed by the secret of such a run, or not lately');
}
