import { toPosition } from '@sluice/event-log';
import { recordEnvelope, type EncodedEnvelope } from '@sluice/event-schema';
import { changesOfKind } from '../change';
import { mergeChanges, projectEvent } from '../project';
import type { AgentDirectory } from '../registry/agents';
import { MemoryAgentDirectory } from '../registry/memory-agent-directory';

/** One read model with nothing in it, and what reads its agents. */
export interface AgentDirectoryHarness {
  readonly agents: AgentDirectory;
  /** Records events in one batch, after those of the batches before. */
  record(envelopes: readonly EncodedEnvelope[]): Promise<void>;
  /** Lets go of the read model and everything that was opened. */
  destroy(): Promise<void>;
}

/** The harness of the test that runs. */
export type CurrentAgentHarness = () => AgentDirectoryHarness;

/** Agents in memory, with positions as a read model gives them. */
export function memoryAgentHarness(): AgentDirectoryHarness {
  const agents = new MemoryAgentDirectory();
  const known = new Set<string>();
  const recorded = (envelope: EncodedEnvelope) => {
    known.add(envelope.event.id);
    return recordEnvelope(envelope, { position: toPosition(known.size), entitySequence: 1, recordedAt: 1 }).event;
  };
  return {
    agents,
    record: async (envelopes) => {
      const events = envelopes.flatMap((envelope) => (known.has(envelope.event.id) ? [] : [recorded(envelope)]));
      agents.apply(changesOfKind('agent', mergeChanges(events.flatMap(projectEvent))));
    },
    destroy: async () => undefined,
  };
}
