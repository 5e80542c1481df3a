import { sandboxEnvelope } from '@sluice/event-log/conformance';
import type { EncodedEnvelope } from '@sluice/event-schema';
import { startReceiver, type Answering, type Receiver } from './receiver';
import { startWebhooks, type ServiceOptions } from './webhooks-service';

/** What one test starts: it is stopped after it, the last one first. */
export class WebhooksWorld {
  readonly running: { stop(): Promise<void> }[] = [];

  async stop(): Promise<void> {
    for (let each = this.running.pop(); each; each = this.running.pop()) await each.stop();
  }

  readonly receiver = async (answering?: Answering): Promise<Receiver> => {
    const started = await startReceiver(answering);
    this.running.push(started);
    return started;
  };

  /** A service that may send to these receivers, which are of this machine. */
  readonly service = async (receivers: readonly Receiver[], { env, ...rest }: ServiceOptions = {}) => {
    const hosts = receivers.map(({ host }) => host).join(',');
    const started = await startWebhooks({ env: { SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS: hosts, ...env }, ...rest });
    this.running.push(started);
    return started;
  };
}

export const events = (count: number, workspaceId = 1): EncodedEnvelope[] =>
  Array.from({ length: count }, (_, n) => sandboxEnvelope({ workspaceId, data: { n } }));

export const idsOf = (some: readonly { readonly event: { readonly id: string } }[]): string[] =>
  some.map(({ event }) => event.id);
