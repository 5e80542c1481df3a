import {
  patchAgent,
  type AgentChange,
  type AgentContent,
  type AgentPatch,
  type FeedbackChange,
  type FeedbackContent,
  type PlacedResponse,
} from './agent-change';

/** Folds changes, in position order, into one for each agent. One that is alone is what it comes to. */
export function mergeAgents(changes: readonly AgentChange[]): readonly AgentChange[] {
  const merged = new Map<string, AgentChange | AgentFold>();
  for (const change of changes) {
    const before = merged.get(change.agentId);
    if (before === undefined) merged.set(change.agentId, change);
    else if (before instanceof AgentFold) before.add(change);
    else merged.set(change.agentId, foldOf(before, change));
  }
  return [...merged.values()].map((one) => (one instanceof AgentFold ? one.result() : one));
}

function foldOf(...changes: readonly [AgentChange, AgentChange]): AgentFold {
  const fold = new AgentFold(changes[0].agentId);
  for (const change of changes) fold.add(change);
  return fold;
}

class AgentFold {
  private begins: AgentContent | null | undefined;
  private patch: AgentPatch | undefined;
  private readonly feedback = new Map<string, FeedbackFold>();

  constructor(private readonly agentId: string) {}

  add({ begins, patch, feedback }: AgentChange): void {
    if (begins !== undefined) this.begin(begins);
    // It is gone, so there is nothing to change.
    if (this.begins === null) return;
    if (patch) this.lay(patch);
    for (const [name, change] of feedback) {
      const fold = this.feedback.get(name) ?? new FeedbackFold();
      this.feedback.set(name, fold);
      fold.add(change);
    }
  }

  result(): AgentChange {
    const { agentId, begins, patch } = this;
    return {
      kind: 'agent',
      agentId,
      ...(begins === undefined ? {} : { begins }),
      ...(patch === undefined ? {} : { patch }),
      feedback: new Map([...this.feedback].map(([name, fold]) => [name, fold.result()])),
    };
  }

  private begin(begins: AgentContent | null): void {
    this.begins = begins;
    this.patch = undefined;
    this.feedback.clear();
  }

  private lay(patch: AgentPatch): void {
    if (this.begins) this.begins = patchAgent(this.begins, patch);
    else this.patch = { ...patch, parts: { ...this.patch?.parts, ...patch.parts } };
  }
}

class FeedbackFold {
  private made: FeedbackContent | null | undefined;
  private revoked: boolean | undefined;
  private readonly responses = new Map<string, PlacedResponse>();
  private readonly withdrawn = new Set<string>();

  add({ made, revoked, responses, withdrawn }: FeedbackChange): void {
    if (made !== undefined) this.make(made);
    if (this.made === null) return;
    this.revoked = revoked ?? this.revoked;
    for (const [eventId, response] of responses) this.responses.set(eventId, response);
    for (const eventId of withdrawn) if (!this.responses.delete(eventId)) this.withdrawn.add(eventId);
  }

  result(): FeedbackChange {
    const { made, revoked, responses, withdrawn } = this;
    return {
      ...(made === undefined ? {} : { made }),
      ...(revoked === undefined ? {} : { revoked }),
      responses,
      withdrawn,
    };
  }

  private make(made: FeedbackContent | null): void {
    this.made = made;
    this.revoked = undefined;
    this.responses.clear();
    this.withdrawn.clear();
  }
}
