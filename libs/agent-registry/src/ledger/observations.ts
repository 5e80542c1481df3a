import type { RegistrationFile } from '../files/registration-file';
import { toDomainClasses, toSkillClasses } from '../taxonomy';
import { classificationHash, classificationInputOf } from './classification-input';
import {
  classKey,
  fileKey,
  reachKey,
  type AnnouncedClasses,
  type ClassValue,
  type EndpointState,
  type ReachValue,
} from './documents';
import type { FileStep } from './file-state';
import type { LedgerRun, Origin } from './ledger-run';

const UNKNOWN: EndpointState = { failures: 0 };
export const NO_CLASSES: AnnouncedClasses = { skills: [], domains: [], confidence: 0 };

/** Keeps a file, and what follows of it for probes and classes. The event about the file itself comes before. */
export function settleFile(run: LedgerRun, origin: Origin, tokenId: string, { value, dueAt }: FileStep): void {
  // Together, so that an undo puts back three that belong together.
  run.touch(reachKey(tokenId));
  run.touch(classKey(tokenId));
  run.put(fileKey(tokenId), value, dueAt);
  settleEndpoints(run, origin, tokenId, value.file);
  settleClasses(run, origin, tokenId, value.file);
}

function settleEndpoints(run: LedgerRun, origin: Origin, tokenId: string, file: RegistrationFile | undefined): void {
  const key = reachKey(tokenId);
  const before = run.find<ReachValue>(key);
  const { mcpEndpoint, a2aEndpoint } = file ?? {};
  if (before?.mcpEndpoint === mcpEndpoint && before?.a2aEndpoint === a2aEndpoint) return;
  if (mcpEndpoint === undefined && a2aEndpoint === undefined) {
    announceReach(run, origin, tokenId, before, undefined);
    run.remove(key);
    return;
  }
  const value: ReachValue = {
    ...(mcpEndpoint !== undefined && { mcpEndpoint }),
    ...(a2aEndpoint !== undefined && { a2aEndpoint }),
    mcp: (before?.mcpEndpoint === mcpEndpoint ? before?.mcp : undefined) ?? UNKNOWN,
    a2a: (before?.a2aEndpoint === a2aEndpoint ? before?.a2a : undefined) ?? UNKNOWN,
  };
  const { nowMs, probeFirstDelayMs = 0 } = run.context;
  run.put(key, announceReach(run, origin, tokenId, before, value), nowMs + probeFirstDelayMs);
}

/**
 * Says what can be reached now, if that is news, and gives `after` as it is when that is said. To whoever hears of events,
 * another endpoint is one of which nothing is known: it is not reachable until it answers. An event always tells of both.
 */
export function announceReach<T extends ReachValue | undefined>(
  run: LedgerRun,
  origin: Origin,
  tokenId: string,
  before: ReachValue | undefined,
  after: T,
): T {
  const mcp = newsOf(before?.mcpEndpoint, before?.mcp, after?.mcpEndpoint, after?.mcp);
  const a2a = newsOf(before?.a2aEndpoint, before?.a2a, after?.a2aEndpoint, after?.a2a);
  if (!mcp.isNews && !a2a.isNews) return after;
  run.emit(origin, 'reachability_update', tokenId, {
    mcpReachable: mcp.says,
    a2aReachable: a2a.says,
    previousMcp: before?.mcp.said ?? false,
    previousA2a: before?.a2a.said ?? false,
  });
  if (after === undefined) return after;
  return {
    ...after,
    mcp: after.mcpEndpoint === undefined ? after.mcp : { ...after.mcp, said: mcp.says },
    a2a: after.a2aEndpoint === undefined ? after.a2a : { ...after.a2a, said: a2a.says },
  };
}

function newsOf(
  endpointBefore: string | undefined,
  before: EndpointState | undefined,
  endpoint: string | undefined,
  after: EndpointState | undefined,
): { readonly isNews: boolean; readonly says: boolean } {
  const says = after?.said ?? false;
  const isFirstAnswer = after?.said !== undefined && (endpointBefore !== endpoint || before?.said === undefined);
  return { isNews: isFirstAnswer || (before?.said ?? false) !== says, says };
}

function settleClasses(run: LedgerRun, origin: Origin, tokenId: string, file: RegistrationFile | undefined): void {
  const key = classKey(tokenId);
  const before = run.find<ClassValue>(key);
  const was = before?.announced;
  if (file === undefined) {
    if (before === undefined) return;
    announceClasses(run, origin, tokenId, was, NO_CLASSES);
    run.remove(key);
    return;
  }
  const skills = toSkillClasses(file.declaredSkills);
  const domains = toDomainClasses(file.declaredDomains);
  const inputHash = classificationHash(classificationInputOf(file, tokenId), [...skills, ...domains]);
  const { classifierAvailable, nowMs } = run.context;
  const isDescribed = file.name !== '' || (file.description ?? '') !== '';
  const isWanted = classifierAvailable && isDescribed;
  if (before?.inputHash === inputHash && !(before.status === 'none' && isWanted)) return;
  if (skills.length > 0 || domains.length > 0) {
    const announced = { skills, domains, confidence: 1 };
    announceClasses(run, origin, tokenId, was, announced);
    run.put(key, { inputHash, status: 'declared', announced });
    return;
  }
  const announced = before?.status === 'declared' ? NO_CLASSES : was;
  if (announced !== undefined) announceClasses(run, origin, tokenId, was, announced);
  const value: ClassValue = {
    inputHash,
    status: isWanted ? 'pending' : 'none',
    ...(announced !== undefined && { announced }),
  };
  run.put(key, value, isWanted ? nowMs : undefined);
}

/** Says the classes, if they are others than the last ones. */
export function announceClasses(
  run: LedgerRun,
  origin: Origin,
  tokenId: string,
  before: AnnouncedClasses | undefined,
  after: AnnouncedClasses,
): void {
  if (classesText(before ?? NO_CLASSES) === classesText(after)) return;
  const { skills, domains, confidence } = after;
  run.emit(origin, 'classification_complete', tokenId, { skills, domains, confidence });
}

function classesText({ skills, domains, confidence }: AnnouncedClasses): string {
  return JSON.stringify([skills.map(({ slug }) => slug), domains.map(({ slug }) => slug), confidence]);
}
