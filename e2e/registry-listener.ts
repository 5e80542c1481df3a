import { until } from '@sluice/event-log/conformance';
import { EventSource } from 'eventsource';
import type { System } from './system';

const TIMEOUT_MS = 60_000;

export const REGISTRY_TYPES = [
  ...['reputation_change', 'reachability_update', 'new_attestation', 'agent_registered', 'agent_updated'],
  ...['classification_complete', 'agent_transferred', 'feedback_received', 'feedback_revoked', 'feedback_response'],
  ...['attestation_revoked', 'validation_requested', 'validation_responded', 'agent_registration_reverted'],
  ...['agent_update_reverted', 'agent_transfer_reverted', 'feedback_reverted', 'attestation_reverted'],
];

type Payload = Readonly<Record<string, unknown>> & { readonly type: string };

/** What an unmodified EventSource sees at the registry events door. */
export interface RegistryListener {
  /** The next events of an agent, of these types, that nobody asked for before; without their times, which are checked. */
  next(agentId: string, count?: number, types?: readonly string[]): Promise<object[]>;
  close(): void;
}

/** Listens to one chain from now on. */
export async function listenToRegistry(system: System, chainId: number): Promise<RegistryListener> {
  const { baseUrl, apiKey } = system.dev();
  const source = new EventSource(`${baseUrl}/api/v1/events?chainIds=${chainId}`, {
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, 'X-API-Key': apiKey } }),
  });
  const received: Payload[] = [];
  let isConnected = false;
  source.addEventListener('connected', () => (isConnected = true));
  for (const type of REGISTRY_TYPES) {
    source.addEventListener(type, ({ data }) => received.push(JSON.parse(data) as Payload));
  }
  await until(() => isConnected, 'the stream opens', TIMEOUT_MS);
  const asked = new Map<string, number>();

  async function next(agentId: string, count = 1, types: readonly string[] = REGISTRY_TYPES): Promise<object[]> {
    const question = `${agentId} ${types.join()}`;
    const matching = () => received.filter((event) => event['agentId'] === agentId && types.includes(event.type));
    const from = asked.get(question) ?? 0;
    const arrived = () => matching().length >= from + count;
    await until(arrived, `${count} more of ${question}`, TIMEOUT_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}; there are ${JSON.stringify(matching().slice(from))}`);
    });
    asked.set(question, from + count);
    return matching()
      .slice(from, from + count)
      .map(withoutTime);
  }
  return { next, close: () => source.close() };
}

function withoutTime({ timestamp, ...fields }: Payload): object {
  expect(timestamp).toEqual(expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/));
  return fields;
}
