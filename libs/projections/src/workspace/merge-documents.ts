import {
  asksForOwner,
  composeEffects,
  documentKey,
  ownerKey,
  type DocumentEffect,
  type WorkspaceDocumentChange,
} from './document-change';

/** Folds changes, in position order, into one for each document, in an order in which they can be folded again. */
export function mergeWorkspaceDocuments(
  changes: readonly WorkspaceDocumentChange[],
): readonly WorkspaceDocumentChange[] {
  const merge = new Merge();
  for (const change of changes) merge.add(change);
  return merge.result();
}

class Merge {
  private readonly changes = new Map<string, WorkspaceDocumentChange>();
  /** Keys of the changed documents that have an owner, by its key. */
  private readonly owned = new Map<string, Set<string>>();

  add(change: WorkspaceDocumentChange): void {
    const key = documentKey(change);
    if (change.removesOwnedBefore !== undefined) this.forgetOwnedBy(key);
    const effect = this.decided(change);
    if (!effect) return;
    const earlier = this.changes.get(key);
    // What `earlier` removes stays removed.
    this.changes.set(key, { ...earlier, ...change, effect: earlier ? composeEffects(earlier.effect, effect) : effect });
    const byOwner = ownerKey(change);
    if (byOwner) this.owned.set(byOwner, (this.owned.get(byOwner) ?? new Set()).add(key));
  }

  result(): readonly WorkspaceDocumentChange[] {
    return [...this.changes.values()].sort((a, b) => orderOf(a) - orderOf(b));
  }

  /** What the changes so far say about the owner is decided here; undefined when there is none, so nothing happens. */
  private decided(change: WorkspaceDocumentChange): DocumentEffect | undefined {
    const { effect } = change;
    const byOwner = ownerKey(change);
    const owner = byOwner === undefined ? undefined : this.changes.get(byOwner)?.effect;
    if (!owner || !asksForOwner(effect)) return effect;
    const { made, madeUnowned } = effect;
    if (owner.made) return { ...effect, madeUnowned: made };
    if (!owner.replaces) return effect;
    return madeUnowned && { ...effect, made: madeUnowned };
  }

  /** All that was there goes, so what the changes so far did to it does not matter. */
  private forgetOwnedBy(owner: string): void {
    for (const key of this.owned.get(owner) ?? []) this.changes.delete(key);
    this.owned.delete(owner);
  }
}

/** What asks for its owner asks for one that was there before these changes; what is removed with an owner is older still. */
function orderOf({ effect, removesOwnedBefore }: WorkspaceDocumentChange): number {
  if (removesOwnedBefore !== undefined) return 0;
  return asksForOwner(effect) ? 1 : 2;
}
