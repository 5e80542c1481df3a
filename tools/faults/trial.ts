import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@sluice/event-log/conformance';
import { anthropicOf, newSession, say } from '../../e2e/session-client';
import type { System } from '../../e2e/system';
import type { WebhookReceiver } from '../../e2e/webhook-receiver';
import { CONVERGENCE_LIMIT_MS, type Round } from './convergence';
import { effectsOf, formatEffects, shortfalls, type Evidence } from './effect';
import { entitiesOf, type Entities } from './entities';
import { Journal } from './journal';
import { isClean, judge, type Verdict } from './judge';
import { makeReaders, makeSessionReader, makeWebhookReader, webhookFilter, type Reader } from './readers';
import { readEventsDoor, readSandboxDoor, readTable } from './store-reader';
import { makeWriters, type FamilyWriter } from './writers';

/** How long is waited for more, so that what is late can be told from what is lost. */
const PATIENCE_MS = 150_000;
const FLOW_TIMEOUT_MS = 60_000;
/** How long readers stay when they have everything: what is sent once more, by one who was away, comes later. */
const QUIET_MS = 6_000;
/** New acknowledgements of every writer before a fault is injected. */
const ACKNOWLEDGED_BEFORE = 2;

/** What came of a trial. */
export interface TrialResult {
  readonly acknowledged: number;
  readonly rounds: readonly Round[];
  /** Of each place that broke the rule. */
  readonly verdicts: readonly Verdict[];
  /** What else went wrong: a reset, a refused event, a gap in the positions. */
  readonly faults: readonly string[];
}

export interface TrialOptions {
  /** For the journal: faults of the system's own folder do not reach it. */
  readonly folder: string;
  /** Of this trial on its system, from 1 on. */
  readonly number: number;
  readonly log: (line: string) => void;
}

/** A system under load of numbered events, with readers at every door, to which faults are done round by round. */
export class Trial {
  readonly rounds: Round[] = [];
  private readonly faults: string[] = [];

  private constructor(
    readonly system: System,
    readonly journal: Journal,
    readonly entities: Entities,
    readonly writers: readonly FamilyWriter[],
    readonly readers: readonly Reader[],
    private readonly endpointId: string,
    /** Tells of the progress of the run. */
    readonly log: (line: string) => void,
  ) {}

  /**
   * Starts writers and readers. Readers begin with the first event of the system.
   *
   * @param receiver to which the system is allowed to send webhooks
   */
  static async start(system: System, receiver: WebhookReceiver, { folder, number, log }: TrialOptions): Promise<Trial> {
    const entities = entitiesOf(number);
    const journal = await Journal.open(join(folder, `acknowledged-${number}.journal`));
    const client = anthropicOf(system, { maxRetries: 10 });
    const sessionId = await newSession(client);
    const { data: [begun] = [] } = await say(client, sessionId, 'begin');
    await post(system, '/api/sessions', { id: entities.workspace });
    const { endpointId } = await post<{ endpointId: string }>(system, '/v1/webhooks', {
      url: `${receiver.origin}/${number}`,
      filter: webhookFilter(entities, sessionId),
      cursor: 'earliest',
    });
    const readers = [
      ...makeReaders(() => system.dev(), entities),
      makeSessionReader(client, entities, sessionId, String(begun?.id)),
      makeWebhookReader(receiver, entities),
    ];
    const writers = makeWriters(() => system.dev(), journal, entities, sessionId);
    const trial = new Trial(system, journal, entities, writers, readers, endpointId, log);
    for (const { writer } of writers) writer.start();
    return trial;
  }

  /** Waits until every writer has had some more acknowledgements. */
  async flow(): Promise<void> {
    const wanted = this.writers.map(({ writer }) => ({ writer, count: writer.acknowledged + ACKNOWLEDGED_BEFORE }));
    await until(
      () => wanted.every(({ writer, count }) => writer.acknowledged >= count || writer.refusals.length > 0),
      'every writer is acknowledged',
      FLOW_TIMEOUT_MS,
    );
  }

  /**
   * Does a fault under load, and measures how long after its healing every writer was acknowledged again and every reader
   * had all that was acknowledged by then. A fault that had no effect is reported: nothing was survived.
   *
   * @param fault resolves when it is healed, when what was broken is there again, with what shows that it was done
   */
  async round(name: string, fault: () => Promise<Evidence>): Promise<void> {
    await this.flow();
    const evidence = await fault();
    const convergedAfterMs = await this.converge(name);
    const effects = await effectsOf(evidence);
    for (const shortfall of shortfalls(effects)) this.report(`${name}: ${shortfall}`);
    this.rounds.push({ name, convergedAfterMs });
    const seconds = (convergedAfterMs / 1000).toFixed(1);
    this.log(`${name}: ${formatEffects(effects)}; converged after ${seconds} s, ${this.journal.count} acknowledged`);
  }

  /** Something is wrong that the checker of events cannot see. */
  report(fault: string): void {
    this.faults.push(fault);
    this.log(`WRONG: ${fault}`);
  }

  /** Ends writers and readers and judges everything that was shown, in the store and at every reader. */
  async finish(databaseUrl: string | undefined): Promise<TrialResult> {
    await Promise.all(this.writers.map(({ writer }) => writer.stop()));
    const acknowledged = await Journal.read(this.journal.file);
    const attempted = new Map(this.writers.map(({ writer }) => [writer.entity, writer.attempted]));
    await this.untilAllSeen(() => true, PATIENCE_MS).catch(() => this.report(`the end: ${this.missing().join('; ')}`));
    await pause(QUIET_MS);
    for (const { close } of this.readers) close();
    await this.removeEndpoint();
    const entities = this.writers.map(({ writer }) => writer.entity);
    const dev = this.system.dev();
    const stored = databaseUrl === undefined ? undefined : await readTable(databaseUrl, this.entities);
    for (const fault of stored?.faults ?? []) this.report(fault);
    const shown = [
      ...this.readers,
      { sightings: await readEventsDoor(dev, this.entities), entities },
      { sightings: await readSandboxDoor(dev, this.entities), entities: this.entities.sandboxes },
      ...(stored ? [{ sightings: stored.sightings, entities }] : []),
    ];
    for (const { writer } of this.writers) for (const refusal of writer.refusals) this.report(`refused: ${refusal}`);
    for (const { resets, sightings } of this.readers) if (resets() > 0) this.report(`reset at ${sightings.place}`);
    const written = { acknowledged, attempted };
    return {
      acknowledged: [...acknowledged.values()].reduce((sum, { length }) => sum + length, 0),
      rounds: this.rounds,
      verdicts: shown.map(({ sightings, entities: own }) => judge(written, sightings, own)).filter((v) => !isClean(v)),
      faults: this.faults,
    };
  }

  /** Ends what is still there of it, also after a fault that broke it off. Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.writers.map(({ writer }) => writer.stop()));
    for (const { close } of this.readers) close();
    await this.journal.close();
  }

  /** What comes after the trial is not for its receiver. */
  private async removeEndpoint(): Promise<void> {
    const { baseUrl, apiKey } = this.system.dev();
    const url = `${baseUrl}/v1/webhooks/${this.endpointId}`;
    await (await fetch(url, { method: 'DELETE', headers: { 'x-api-key': apiKey } })).arrayBuffer();
  }

  private async converge(name: string): Promise<number> {
    const healedAt = performance.now();
    // One that was begun before the healing may have been in hand all the time: the one behind it is new.
    const fresh = this.writers.map(({ writer }) => ({ writer, count: writer.acknowledged + 2 }));
    const isFlowing = () => fresh.every(({ writer, count }) => writer.acknowledged >= count);
    const watch = setTimeout(
      () => this.log(`${name}: still behind: ${this.missing().join('; ')}`),
      CONVERGENCE_LIMIT_MS,
    );
    try {
      await until(isFlowing, 'every writer is acknowledged', PATIENCE_MS);
      const counts = new Map(this.writers.map(({ writer }) => [writer.entity, writer.acknowledged]));
      await this.untilAllSeen((entity, n) => n < (counts.get(entity) ?? 0), PATIENCE_MS);
    } catch {
      const stuck = fresh.filter(({ writer, count }) => writer.acknowledged < count).map(({ writer }) => writer.entity);
      this.report(
        `${name}: not converged: ${[...stuck.map((entity) => `no answer to ${entity}`), ...this.missing()].join('; ')}`,
      );
    }
    clearTimeout(watch);
    const convergedAfterMs = performance.now() - healedAt;
    return convergedAfterMs;
  }

  /** @param counts whether an acknowledged event is one that has to be seen */
  private untilAllSeen(counts: (entity: string, n: number) => boolean, timeoutMs: number): Promise<void> {
    const wanted = this.writers.map(({ writer }) => {
      let n = writer.acknowledged - 1;
      while (n >= 0 && !counts(writer.entity, n)) n--;
      return { entity: writer.entity, n };
    });
    return until(
      () =>
        this.readers.every(({ entities, sightings }) =>
          wanted.every((mark) => !entities.includes(mark.entity) || mark.n < 0 || sightings.hasUpTo(mark)),
        ),
      'every reader has everything',
      timeoutMs,
    );
  }

  /** Which reader has not come to where. */
  private missing(): readonly string[] {
    return this.readers.flatMap(({ sightings, entities }) =>
      this.writers.flatMap(({ writer: { entity, acknowledged } }) =>
        entities.includes(entity) && acknowledged > 0 && !sightings.hasUpTo({ entity, n: acknowledged - 1 })
          ? [`${sightings.place} has ${sightings.sizeOf(entity)} of ${acknowledged} of ${entity}`]
          : [],
      ),
    );
  }
}

async function post<T>(system: System, path: string, body: object): Promise<T> {
  const { baseUrl, apiKey } = system.dev();
  const response = await fetch(`${baseUrl}${path}`, {
    method: 'POST',
    headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
