import {
  applyClassification,
  applyFile,
  applyProbe,
  classificationKeys,
  classificationRequestOf,
  fileKeys,
  fileRequestOf,
  probeKeys,
  probeTargetOf,
  tokenIdOf,
  type ChainStore,
  type ClassificationRequest,
  type ClassificationResult,
  type FileReading,
  type ProbeResult,
  type ProbeTarget,
} from '@sluice/agent-registry';
import { isBusy, type FileReads } from '../chain/file-reads';
import type { OffChainTask } from '../chain/off-chain-loop';

/** Finds out whether agents answer. */
export interface Prober {
  probe(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult>;
}

/** Says what agents can do. */
export interface AgentClassifier {
  classify(request: ClassificationRequest, signal: AbortSignal): Promise<ClassificationResult>;
  /** Milliseconds until one more may be asked about; 0: now. */
  waitMs(): number;
}

export interface OffChainSettings {
  readonly files: { readonly reReadIntervalMs: number; readonly concurrency: number };
  readonly probes: { readonly intervalMs: number; readonly failuresToDown: number; readonly concurrency: number };
  /** From 0 to 1, drawn anew for each probe, and for all that is put off. */
  readonly jitter?: () => number;
}

/** Most classifications of one chain at a time; the classifier has its own limit over all. */
const CLASSIFICATIONS_AT_A_TIME = 2;
/** Most agents in hand for each probe that may run: those of a crowded host wait for their turn, and must not hold up others. */
const AGENTS_PER_PROBE = 8;
/** The same of files, whose reader has some waiting for each host. */
const AGENTS_PER_READ = 8;
/** What came to nothing is tried again after half to all of this. */
const AGAIN_MS = 30_000;
/** How often is looked for what is due: a part of its interval, within these. */
const POLL_INTERVAL_MS = { minimum: 20, maximum: 2_000 };

const pollIntervalOf = (intervalMs: number) =>
  Math.min(POLL_INTERVAL_MS.maximum, Math.max(POLL_INTERVAL_MS.minimum, intervalMs / 4));

const againAfter = (intervalMs: number, jitter: () => number) => Math.min(intervalMs, AGAIN_MS) * (0.5 + jitter() / 2);

/** Reads registration files that are new, failed, or can change without a transaction. */
export function fileTask(
  reads: Pick<FileReads, 'read'>,
  { files, jitter = Math.random }: OffChainSettings,
): OffChainTask<FileReading> {
  return {
    kind: 'files',
    documentKind: 'file',
    concurrency: files.concurrency * AGENTS_PER_READ,
    pollIntervalMs: pollIntervalOf(files.reReadIntervalMs),
    againMs: () => againAfter(files.reReadIntervalMs, jitter),
    work: async (document) => {
      const request = fileRequestOf(document);
      const reading = request && (await reads.read(request.uri));
      // That much is read here says nothing about the file.
      return reading && isBusy(reading) ? undefined : reading;
    },
    keys: fileKeys,
    apply: applyFile,
    outcomeOf: (reading) => (reading.status === 'read' ? 'read' : reading.error.code),
  };
}

/** Probes the endpoints that agents declare. */
export function probeTask(
  prober: Prober,
  { probes, jitter = Math.random }: OffChainSettings,
): OffChainTask<ProbeResult> {
  const { intervalMs, failuresToDown, concurrency } = probes;
  return {
    kind: 'probes',
    documentKind: 'reach',
    concurrency: concurrency * AGENTS_PER_PROBE,
    pollIntervalMs: pollIntervalOf(intervalMs),
    againMs: () => againAfter(intervalMs, jitter),
    work: async (document, signal) => {
      const target = probeTargetOf(document);
      return target && prober.probe(target, signal);
    },
    keys: probeKeys,
    apply: (documents, tokenId, result, context) =>
      applyProbe(documents, tokenId, result, { ...context, failuresToDown, intervalMs, jitter: jitter() }),
    outcomeOf: ({ mcp, a2a }) => {
      const found = [mcp, a2a].flatMap((endpoint) => (endpoint ? [endpoint.reachable] : []));
      if (found.length === 0) return 'unknown';
      return found.every(Boolean) ? 'reachable' : 'unreachable';
    },
  };
}

/** Has agents classified that declare no classes themselves. */
export function classificationTask(
  classifier: AgentClassifier,
  chainId: number,
  store: Pick<ChainStore, 'read'>,
): OffChainTask<ClassificationResult> {
  return {
    kind: 'classification',
    documentKind: 'class',
    concurrency: CLASSIFICATIONS_AT_A_TIME,
    pollIntervalMs: POLL_INTERVAL_MS.maximum,
    againMs: () => againAfter(AGAIN_MS, Math.random),
    waitMs: () => classifier.waitMs(),
    work: async (document, signal) => {
      const tokenId = tokenIdOf(document);
      const request = classificationRequestOf(await store.read(chainId, classificationKeys(tokenId)), tokenId);
      return request && classifier.classify(request, signal);
    },
    keys: classificationKeys,
    apply: applyClassification,
    outcomeOf: (result) => (result.status === 'classified' ? 'classified' : result.reason),
  };
}
