import { SluiceError } from '@sluice/event-log';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export interface MetricOptions<L extends string> {
  /** Prometheus name with its unit, for example `sluice_append_duration_seconds`. */
  readonly name: string;
  readonly help: string;
  /** Names of labels. Their values must come from a bounded set. */
  readonly labels?: readonly L[];
}

export interface CounterOptions<L extends string> extends MetricOptions<L> {
  /**
   * All values of each label, where they are few and known. Each series is exported as 0 from the start then: one that
   * began with its first step would show no step, and an alert on its increase would miss it.
   */
  readonly values?: { readonly [label in L]: readonly string[] };
}

export interface GaugeOptions<L extends string> extends MetricOptions<L> {
  /** Sets the gauge just before it is read. */
  readonly collect?: (gauge: Gauge<L>) => void | Promise<void>;
}

export interface HistogramOptions<L extends string> extends MetricOptions<L> {
  /** Upper bounds, ascending. Default from 0.5 ms to 10 s, in seconds. */
  readonly buckets?: readonly number[];
}

/** Upper bounds in seconds for what takes from half a millisecond to ten seconds. */
export const DURATION_BUCKETS_SECONDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

type AnyMetric = Counter | Gauge | Histogram;

/**
 * The metrics of one service, in a registry of its own.
 * Asking twice for the same name, kind and labels gives the same metric, so that apps in one process can share it.
 */
export class MetricsRegistry {
  private readonly registry = new Registry();
  private readonly known = new Map<string, { readonly signature: string; readonly metric: AnyMetric }>();

  constructor(options: { readonly processMetrics?: boolean } = {}) {
    if (options.processMetrics === true) collectDefaultMetrics({ register: this.registry });
  }

  /** The content type of `expose`. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** @throws SluiceError `configuration` when the name is taken by another kind or other labels. */
  counter<L extends string = never>(options: CounterOptions<L>): Counter<L> {
    return this.once('counter', options, () => {
      const counter = new Counter<L>(this.base(options));
      if (options.values) for (const labels of combinations<L>(options.values)) counter.inc(labels, 0);
      return counter;
    });
  }

  /** @throws SluiceError `configuration` when the name is taken by another kind or other labels. */
  gauge<L extends string = never>(options: GaugeOptions<L>): Gauge<L> {
    const { collect } = options;
    return this.once('gauge', options, () => {
      const gauge: Gauge<L> = new Gauge<L>({
        ...this.base(options),
        ...(collect && { collect: () => collect(gauge) }),
      });
      return gauge;
    });
  }

  /** @throws SluiceError `configuration` when the name is taken by another kind or other labels. */
  histogram<L extends string = never>(options: HistogramOptions<L>): Histogram<L> {
    const buckets = [...(options.buckets ?? DURATION_BUCKETS_SECONDS)];
    return this.once('histogram', options, () => new Histogram<L>({ ...this.base(options), buckets }));
  }

  /** Everything in the Prometheus text format. */
  expose(): Promise<string> {
    return this.registry.metrics();
  }

  private base<L extends string>(options: MetricOptions<L>) {
    return {
      name: options.name,
      help: options.help,
      labelNames: [...(options.labels ?? [])],
      registers: [this.registry],
    };
  }

  private once<M extends AnyMetric, L extends string>(kind: string, options: MetricOptions<L>, create: () => M): M {
    const signature = `${kind}(${[...(options.labels ?? [])].sort().join(',')})`;
    const existing = this.known.get(options.name);
    if (existing === undefined) {
      const metric = create();
      this.known.set(options.name, { signature, metric });
      return metric;
    }
    if (existing.signature !== signature) {
      throw new SluiceError(
        'configuration',
        `Metric ${options.name} is ${existing.signature} already, not ${signature}`,
      );
    }
    return existing.metric as M;
  }
}

function combinations<L extends string>(values: { readonly [label in L]: readonly string[] }): Record<L, string>[] {
  const labels = Object.keys(values) as L[];
  return labels.reduce(
    (found, label) => found.flatMap((each) => values[label].map((value) => ({ ...each, [label]: value }))),
    [{} as Record<L, string>],
  );
}
