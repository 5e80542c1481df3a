import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import type { SteadyConnection } from '@sluice/nats-connection';

/** Hears what the other replicas say about subjects, over every connection that follows another. */
export class SubjectListener {
  private connection: NatsConnection | undefined;
  private readonly wanted = new Map<string, Subscription | undefined>();

  constructor(
    steady: SteadyConnection,
    private readonly onMessage: (subject: string, text: string) => void,
    /** The others can be heard again. */
    private readonly onUp: () => void = () => undefined,
  ) {
    steady.listen({ onUp: (connection) => this.adopt(connection) });
  }

  listen(subject: string): void {
    if (!this.wanted.has(subject)) this.wanted.set(subject, this.subscribe(subject));
  }

  stop(subject: string): void {
    this.wanted.get(subject)?.unsubscribe();
    this.wanted.delete(subject);
  }

  stopAll(): void {
    for (const subject of [...this.wanted.keys()]) this.stop(subject);
  }

  private adopt(connection: NatsConnection): void {
    // A connection that came back has its subscriptions still.
    if (connection !== this.connection) {
      this.connection = connection;
      for (const subject of this.wanted.keys()) this.wanted.set(subject, this.subscribe(subject));
    }
    this.onUp();
  }

  private subscribe(subject: string): Subscription | undefined {
    if (this.connection === undefined || this.connection.isClosed()) return undefined;
    return this.connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) this.onMessage(message.subject, message.string());
      },
    });
  }
}
