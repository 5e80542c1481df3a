import type { DevFile } from '../../e2e/system';
import type { Entities } from './entities';
import type { Journal } from './journal';
import type { Mark } from './mark';
import { Writer, type StoreCall } from './writer';

/** Which family of events a writer writes. */
export type Family = 'sandbox' | 'registry' | 'workspace' | 'session';

export interface FamilyWriter {
  readonly family: Family;
  readonly writer: Writer;
}

const PACE_MS = 120;
/** Of what an endpoint of webhooks is told, one event after the other: it has to be able to catch up with it. */
const CALM_PACE_MS = 500;
/** Each is answered by an engine: some more events. */
const SESSION_PACE_MS = 1_000;

/**
 * Writers of every family. Of those of sandboxes every second one is content with the durable log (`ack=log`).
 *
 * @param sessionId of a session that exists, as does that of the workspace
 */
export function makeWriters(
  dev: () => DevFile,
  journal: Journal,
  entities: Entities,
  sessionId: string,
): readonly FamilyWriter[] {
  const make = (family: Family, entity: string, paceMs: number, call: (mark: Mark, text: string) => StoreCall) => ({
    family,
    writer: new Writer({ entity, paceMs, call, journal }),
  });
  const withKey = () => ({ 'x-api-key': dev().apiKey });
  return [
    ...entities.sandboxes.map((entity, index) =>
      make('sandbox', entity, entity === entities.oneSandbox ? CALM_PACE_MS : PACE_MS, (_, text) => ({
        url: `${dev().baseUrl}/events${index % 2 === 0 ? '' : '?ack=log'}`,
        headers: withKey(),
        body: { sandboxId: entity, type: 'custom.event', data: { text } },
      })),
    ),
    make('registry', entities.registry, CALM_PACE_MS, ({ n }, text) => ({
      url: `${dev().baseUrl}/v1/registry/events`,
      headers: { 'x-api-key': dev().adminKey },
      body: { type: 'reputation_change', data: reputationChange(entities.registryAgent, n, text) },
    })),
    make('workspace', entities.workspace, CALM_PACE_MS, (_, text) => ({
      url: `${dev().baseUrl}/api/sessions/${entities.workspace}/message`,
      headers: withKey(),
      body: { content: text },
    })),
    make('session', entities.session, SESSION_PACE_MS, (_, text) => ({
      url: `${dev().baseUrl}/v1/sessions/${sessionId}/events`,
      headers: withKey(),
      body: { events: [{ type: 'user.message', content: [{ type: 'text', text }] }] },
    })),
  ];
}

function reputationChange(agentId: string, n: number, text: string): object {
  return {
    agentId,
    chainId: 11155111,
    previousScore: 80,
    newScore: 84,
    feedbackCount: n,
    latestFeedback: { score: 100, tags: [text] },
  };
}
