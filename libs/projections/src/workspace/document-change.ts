import type { WorkspaceDocumentKind } from './documents';

/** What a document goes with: it exists only as long as this one does. Its id need only be its own there. */
export interface DocumentOwner {
  readonly kind: 'session' | 'group_chat';
  readonly id: string;
}

/** The times of a document, see WorkspaceDocument. */
export interface DocumentTimes {
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly createdPosition: number;
  readonly lastPosition: number;
}

/** A whole document, without its name. */
export interface DocumentContent extends DocumentTimes {
  readonly parentId?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What is new about a document that exists. */
export interface DocumentPatch extends Pick<DocumentTimes, 'updatedAt' | 'lastPosition'> {
  /** Each field is replaced as a whole; `undefined` takes one away, `null` is a value. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What became of runs, by run id. It is laid over the field `last_run` where that is the run, and means nothing else. */
  readonly endedRuns: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

/**
 * What becomes of one document. One that exists is changed by `patch`, or stays as it is without one; where it does not
 * exist, or the change `replaces` it, it becomes `made`, or there is none.
 */
export interface DocumentEffect {
  readonly replaces: boolean;
  readonly patch: DocumentPatch | undefined;
  readonly made: DocumentContent | undefined;
  /** Takes the place of `made` where the document has an owner and that one does not exist before these changes. */
  readonly madeUnowned: DocumentContent | undefined;
}

/** What tells documents apart. */
export interface DocumentName {
  readonly workspaceId: number;
  readonly documentKind: WorkspaceDocumentKind;
  readonly id: string;
  readonly owner?: DocumentOwner;
}

/** What one or several events mean for one document. */
export interface WorkspaceDocumentChange extends DocumentName {
  readonly kind: 'workspace_document';
  readonly effect: DocumentEffect;
  /** Before the effect: all goes that this document owns and that was made before this position. */
  readonly removesOwnedBefore?: number;
}

/** What names the document of a change; a key for maps. */
export function documentKey({ workspaceId, documentKind, id, owner }: DocumentName): string {
  return JSON.stringify([workspaceId, documentKind, id, ...(owner ? [owner.id] : [])]);
}

/** The key of the document that owns the one of a change. */
export function ownerKey({ workspaceId, owner }: DocumentName): string | undefined {
  return owner && documentKey({ workspaceId, documentKind: owner.kind, id: owner.id });
}

/** The content with the patch laid over it. */
export function patchContent(content: DocumentContent, patch: DocumentPatch): DocumentContent {
  const { updatedAt, lastPosition } = patch;
  const fields = patchFields({ ...content.fields, ...patch.fields }, patch.endedRuns);
  return { ...content, fields: definedFields(fields), updatedAt, lastPosition };
}

/** Fields without those that are `undefined`. */
export function definedFields(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The effect of `earlier`, then `later`, on one document; both ask for the owner that is there before them. */
export function composeEffects(earlier: DocumentEffect, later: DocumentEffect): DocumentEffect {
  // Where the owner is missing there is no document either, so `later` says it all.
  if (later.replaces) return later;
  const { patch } = later;
  const { replaces } = earlier;
  const composed = (made: DocumentContent | undefined, otherwise: DocumentContent | undefined) =>
    made && patch ? patchContent(made, patch) : (made ?? otherwise);
  const made = composed(earlier.made, later.made);
  const isOne = !asksForOwner(earlier) && !asksForOwner(later);
  return {
    replaces,
    patch: replaces ? undefined : composePatches(earlier.patch, patch),
    made,
    madeUnowned: isOne ? made : composed(earlier.madeUnowned, later.madeUnowned),
  };
}

/** Whether all that happens is that the document goes. */
export function removesOnly({ replaces, made, madeUnowned }: DocumentEffect): boolean {
  return replaces && made === undefined && madeUnowned === undefined;
}

/** Whether it depends on the owner what the document becomes. */
export function asksForOwner({ made, madeUnowned }: DocumentEffect): boolean {
  return made !== madeUnowned;
}

function composePatches(
  earlier: DocumentPatch | undefined,
  later: DocumentPatch | undefined,
): DocumentPatch | undefined {
  if (!earlier || !later) return earlier ?? later;
  const fields = { ...earlier.fields, ...later.fields };
  // Who is given a last run is not interested in what became of others, and knows about this one.
  if (Object.hasOwn(later.fields, 'last_run')) return { ...later, fields };
  if (Object.hasOwn(earlier.fields, 'last_run')) {
    return { ...later, fields: patchFields(fields, later.endedRuns), endedRuns: new Map() };
  }
  const endedRuns = new Map(earlier.endedRuns);
  for (const [runId, end] of later.endedRuns) endedRuns.set(runId, { ...endedRuns.get(runId), ...end });
  return { ...later, fields, endedRuns };
}

/** The fields, with what became of the run that they name as the last one. */
function patchFields(
  fields: Readonly<Record<string, unknown>>,
  endedRuns: DocumentPatch['endedRuns'],
): Readonly<Record<string, unknown>> {
  const lastRun = fields['last_run'];
  if (typeof lastRun !== 'object' || lastRun === null || !('run_id' in lastRun)) return fields;
  const end = typeof lastRun.run_id === 'string' ? endedRuns.get(lastRun.run_id) : undefined;
  return end ? { ...fields, last_run: { ...lastRun, ...end } } : fields;
}
