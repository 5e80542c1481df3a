import { jetstream, JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { within } from '@sluice/nats-connection';
import {
  BUCKET_TIMEOUT_MS,
  DOCUMENT_TTL_MS,
  MAX_DOCUMENT_BYTES,
  OPERATION_TIMEOUT_MS,
  REPLICA_BUCKET_BYTES,
  REPLICA_TTL_MS,
  SLOT_BUCKET_BYTES,
  type NatsCoordinationOptions,
} from './options';

/** One value of a bucket as it is now; `revision` is 0 where there is none. */
export interface Entry {
  readonly revision: number;
  readonly text: string;
}

/** Where it says of what is not there. */
const ABSENT: Entry = { revision: 0, text: '' };

/**
 * A key-value bucket, with a bound on the time of every answer. Answers come from the leader, so they are never old.
 */
export class Bucket {
  constructor(private readonly kv: KV) {}

  async read(name: string): Promise<Entry> {
    const entry = await within(this.kv.get(name), OPERATION_TIMEOUT_MS, 'Reading a key');
    if (entry === null) return ABSENT;
    return { revision: entry.revision, text: entry.operation === 'PUT' ? entry.string() : '' };
  }

  /** Writes if the value is still the one of `revision`; the new revision, or undefined when it is not. */
  async write(name: string, text: string, revision: number): Promise<number | undefined> {
    try {
      const options = { previousSeq: revision, timeout: BUCKET_TIMEOUT_MS };
      return await within(this.kv.put(name, text, options), OPERATION_TIMEOUT_MS, 'Writing a key');
    } catch (error) {
      if (isConflict(error)) return undefined;
      throw error;
    }
  }

  async delete(name: string): Promise<void> {
    await within(this.kv.delete(name), OPERATION_TIMEOUT_MS, 'Deleting a key');
  }
}

export interface Buckets {
  readonly slots: Bucket;
  readonly replicas: Bucket;
}

/** Opens the buckets and creates what is missing. */
export async function openBuckets(connection: NatsConnection, options: NatsCoordinationOptions): Promise<Buckets> {
  const { names, replicas = 1, replicaTtlMs = REPLICA_TTL_MS } = options;
  const kvm = new Kvm(jetstream(connection, { timeout: BUCKET_TIMEOUT_MS }));
  // Followers of a cluster may answer a direct read with what is over already.
  const common = { history: 1, replicas, allow_direct: false };
  const [slotBucket, replicaBucket] = await Promise.all([
    kvm.create(names.slotBucket, {
      ...common,
      ttl: DOCUMENT_TTL_MS,
      max_bytes: SLOT_BUCKET_BYTES,
      maxValueSize: MAX_DOCUMENT_BYTES,
    }),
    kvm.create(names.replicaBucket, { ...common, ttl: replicaTtlMs, max_bytes: REPLICA_BUCKET_BYTES }),
  ]);
  return { slots: new Bucket(slotBucket), replicas: new Bucket(replicaBucket) };
}

function isConflict(error: unknown): boolean {
  if (!(error instanceof JetStreamApiError)) return false;
  const { StreamWrongLastSequence, StreamWrongLastSequenceUnknown } = JetStreamApiCodes;
  return error.code === StreamWrongLastSequence || error.code === StreamWrongLastSequenceUnknown;
}
