import type { ChainDocument, ChainDocumentChange, IgnoredReason, LedgerOutcome } from '@sluice/agent-registry';

type Ignored = Record<IgnoredReason, number>;

/** One outcome of several, each computed on the documents that those before it left. */
export function mergeOutcomes<T>(
  documents: ReadonlyMap<string, ChainDocument>,
  items: readonly T[],
  compute: (documents: ReadonlyMap<string, ChainDocument>, item: T) => LedgerOutcome,
): LedgerOutcome {
  const now = new Map(documents);
  const changes = new Map<string, ChainDocumentChange>();
  const ignored: Partial<Ignored> = {};
  const outcomes = items.map((item) => {
    const outcome = compute(now, item);
    for (const change of outcome.changes) {
      changes.set(change.key, change);
      const { key, value, dueAt } = change;
      if (value === null) now.delete(key);
      else now.set(key, { key, value, ...(dueAt !== undefined && { dueAt }) });
    }
    for (const [reason, count] of Object.entries(outcome.ignored) as [IgnoredReason, number][]) {
      ignored[reason] = (ignored[reason] ?? 0) + count;
    }
    return outcome;
  });
  return {
    changes: [...changes.values()],
    journals: outcomes.flatMap(({ journals }) => [...journals]),
    drafts: outcomes.flatMap(({ drafts }) => [...drafts]),
    ignored: ignored as Ignored,
  };
}
