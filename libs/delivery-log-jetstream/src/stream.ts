import {
  DiscardPolicy,
  jetstreamManager,
  JetStreamApiCodes,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { type SteadyConnection, toUnavailable, unavailable } from '@sluice/nats-connection';
import { API_TIMEOUT_MS, DUPLICATE_WINDOW_MS, type JetStreamDeliveryLogOptions } from './options';

/** The server's number for "a stream of this name exists with another configuration". */
const STREAM_NAME_IN_USE = 10058;

/** The part of a stream's configuration that we set and compare. */
type StreamLimits = ReturnType<typeof limitsOf>;

function limitsOf({ retention, replicas = 1 }: JetStreamDeliveryLogOptions) {
  return {
    max_age: nanos(retention.maxAgeMs),
    max_bytes: retention.maxBytes,
    max_msgs: retention.maxMessages,
    num_replicas: replicas,
    duplicate_window: nanos(Math.min(DUPLICATE_WINDOW_MS, retention.maxAgeMs)),
  };
}

/** Sees to it that the stream exists with the wanted limits; whoever misses it calls `ensure`. */
export class StreamKeeper {
  private ensuring: Promise<StreamInfo> | undefined;
  private readonly limits: StreamLimits;

  constructor(
    private readonly connection: SteadyConnection,
    private readonly options: JetStreamDeliveryLogOptions,
  ) {
    this.limits = limitsOf(options);
    // An attempt on a lost connection must not hold up the first one on the next.
    connection.listen({ onDown: () => (this.ensuring = undefined) });
  }

  manager(): Promise<JetStreamManager> {
    return jetstreamManager(this.connection.use(), { timeout: API_TIMEOUT_MS, checkAPI: false });
  }

  /**
   * Creates the stream if it is absent and sets its limits if they differ. Concurrent calls share one attempt.
   * @throws SluiceError `delivery_log_unavailable`, also for a stream of this name that is not ours to change
   */
  ensure(): Promise<StreamInfo> {
    if (this.ensuring) return this.ensuring;
    const attempt = this.createOrUpdate().finally(() => {
      if (this.ensuring === attempt) this.ensuring = undefined;
    });
    this.ensuring = attempt;
    return attempt;
  }

  private async createOrUpdate(): Promise<StreamInfo> {
    const { stream } = this.options;
    try {
      const { streams } = await this.manager();
      const info = await streams.info(stream).catch((error: unknown) => {
        if (isStreamMissing(error)) return undefined;
        throw error;
      });
      if (!info) return await this.create();
      const { config } = info;
      if (config.subjects?.length !== 1 || config.subjects[0] !== this.options.subject) {
        throw unavailable(`Stream ${stream} exists with other subjects: ${config.subjects?.join(', ') ?? 'none'}`);
      }
      const same = Object.entries(this.limits).every(([key, value]) => config[key as keyof StreamLimits] === value);
      return same ? info : await streams.update(stream, this.limits);
    } catch (error) {
      throw toUnavailable(error, `Stream ${stream} cannot be used`);
    }
  }

  private async create(): Promise<StreamInfo> {
    const { stream, subject } = this.options;
    const { streams } = await this.manager();
    try {
      return await streams.add({
        name: stream,
        subjects: [subject],
        retention: RetentionPolicy.Limits,
        discard: DiscardPolicy.Old,
        storage: StorageType.File,
        ...this.limits,
      });
    } catch (error) {
      // Another process, with other limits, was faster.
      if (error instanceof JetStreamApiError && error.code === STREAM_NAME_IN_USE) return streams.info(stream);
      throw error;
    }
  }
}

export function isStreamMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}
