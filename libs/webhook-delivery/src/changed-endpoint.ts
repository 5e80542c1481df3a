import type { EndpointState } from './webhook-endpoint';
import type { WebhookEndpointChange } from './webhook-store';

/** An endpoint after a change by its owner: the one meaning of such a change, for every store. */
export function changedEndpoint(
  { endpoint, progress }: EndpointState,
  { disabled: wanted, ...change }: WebhookEndpointChange,
): EndpointState {
  const { disabled: before, ...rest } = endpoint;
  const disabled = wanted === undefined ? before : (wanted ?? undefined);
  return {
    endpoint: { ...rest, ...present(change), ...(disabled && { disabled }), version: endpoint.version + 1 },
    progress: before !== undefined && disabled === undefined ? { place: progress.place } : progress,
  };
}

function present<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
