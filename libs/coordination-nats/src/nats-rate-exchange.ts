import type { RateExchange, Spending } from '@sluice/access';
import { type SteadyConnection, unavailable } from '@sluice/nats-connection';
import { MAX_MESSAGE_BYTES, type NatsCoordinationOptions } from './options';
import { decodeSpending, encodeSpending } from './rate-codec';
import { SubjectListener } from './subject-listener';

/** Spending told over one subject, without storage: what is not heard at once is not heard. */
export class NatsRateExchange implements RateExchange {
  private readonly listeners = new Set<(spent: readonly Spending[]) => void>();
  private readonly subject: SubjectListener;

  constructor(
    private readonly connection: SteadyConnection,
    private readonly options: NatsCoordinationOptions,
  ) {
    this.subject = new SubjectListener(connection, (_, text) => this.hear(text));
  }

  tell(spent: readonly Spending[]): void {
    const { onMetric, names } = this.options;
    const text = encodeSpending(spent);
    // While the others cannot be reached each counts alone.
    if (spent.length === 0 || text.length > MAX_MESSAGE_BYTES) return;
    this.connection.current?.publish(names.rateSubject, text);
    onMetric?.({ kind: 'rates_told', callers: spent.length });
  }

  listen(onSpent: (spent: readonly Spending[]) => void): () => void {
    const listener = (spent: readonly Spending[]) => onSpent(spent);
    this.listeners.add(listener);
    this.subject.listen(this.options.names.rateSubject);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.subject.stop(this.options.names.rateSubject);
    };
  }

  private hear(text: string): void {
    const spent = text.length > MAX_MESSAGE_BYTES ? undefined : decodeSpending(text);
    if (spent === undefined) {
      this.options.onFault?.(unavailable('A message about rates cannot be read'));
      return;
    }
    this.options.onMetric?.({ kind: 'rates_heard', callers: spent.length });
    for (const listener of this.listeners) listener(spent);
  }
}
