import { makeCertificate } from '@sluice/event-log/conformance';
import { createLogger, MetricsRegistry, type MetricOptions } from '@sluice/service-runtime';
import { createCoordinationSignals } from '../../libs/engine/src/coordination-signals';
import { createEngineSignals } from '../../libs/engine/src/engine-signals';
import { TlsCertificate } from '../../libs/service-runtime/src/tls/tls-certificate';
import { CertificateFolder } from '../../libs/service-runtime/test/tls-fixture';
import { startDescribedProcess } from '../schema-export/described-process';
import type { KnownMetrics, Matcher } from './promql';

/** What Prometheus adds to every series of a pod that a ServiceMonitor of ours names. */
export const TARGET_LABELS: readonly string[] = [
  'app_kubernetes_io_part_of',
  'container',
  'endpoint',
  'instance',
  'job',
  'namespace',
  'pod',
  'service',
];

interface Metric {
  readonly type: string;
  readonly labels: ReadonlySet<string>;
  /** The labels of each series that is there from the start. */
  readonly series: readonly Readonly<Record<string, string>>[];
}

/** Every metric of the apps, as processes that have done nothing export them. */
export class ExportedMetrics implements KnownMetrics {
  private constructor(private readonly metrics: ReadonlyMap<string, Metric>) {}

  static async read(): Promise<ExportedMetrics> {
    const options: MetricOptions<string>[] = [];
    const kinds = ['counter', 'gauge', 'histogram'] as const;
    const spies = kinds.map((kind) => jest.spyOn(MetricsRegistry.prototype, kind));
    try {
      const text = (await exposedByAllApps()) + (await exposedWithBrokers());
      for (const { mock } of spies) for (const [each] of mock.calls) options.push(each);
      return new ExportedMetrics(metricsOf(text, options));
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  }

  /** Names as queries have them: a histogram has three. */
  get names(): readonly string[] {
    return [...this.metrics.keys()];
  }

  labelsOf(name: string): ReadonlySet<string> | undefined {
    return this.metrics.get(name)?.labels;
  }

  isCounted(name: string): boolean {
    return ['counter', 'histogram'].includes(this.metrics.get(name)?.type ?? '');
  }

  /** A histogram is one of routes and the like, which come as they are used: what is asked of it are shares, not single steps. */
  isThereAtStart(name: string, matchers: readonly Matcher[]): boolean {
    const { type, series } = this.metrics.get(name) ?? { series: [] };
    if (type === 'histogram') return true;
    const asked = matchers.filter(({ label }) => !TARGET_LABELS.includes(label));
    return series.some((labels) => asked.every((matcher) => isChosen(matcher, labels)));
  }
}

async function exposedByAllApps(): Promise<string> {
  const running = await startDescribedProcess();
  try {
    return await (await fetch(`${running.url}/metrics`)).text();
  } finally {
    await running.stop();
  }
}

/** What only exists with brokers, or with a certificate. */
async function exposedWithBrokers(): Promise<string> {
  const metrics = new MetricsRegistry();
  const logger = createLogger({ service: 'test', level: 'silent', format: 'json' });
  createCoordinationSignals(metrics, logger);
  createEngineSignals({ metrics, logger }).deliveryLogOpened();
  const folder = await CertificateFolder.create(makeCertificate('localhost'));
  const certificate = await TlsCertificate.open(folder.config(), { port: 'http', logger, metrics });
  certificate.close();
  await folder.remove();
  return metrics.expose();
}

function metricsOf(text: string, options: readonly MetricOptions<string>[]): ReadonlyMap<string, Metric> {
  const metrics = new Map<string, Metric>();
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const defined = options.flatMap((each) => (each.name === name ? (each.labels ?? []) : []));
    for (const ending of type === 'histogram' ? ['_bucket', '_count', '_sum'] : ['']) {
      const series = seriesOf(text, `${name}${ending}`);
      const own = [...defined, ...series.flatMap(Object.keys), ...(ending === '_bucket' ? ['le'] : [])];
      metrics.set(`${name}${ending}`, { type, labels: new Set([...own, ...TARGET_LABELS]), series });
    }
  }
  // Of Prometheus itself, of every target.
  metrics.set('up', { type: 'gauge', labels: new Set(TARGET_LABELS), series: [{}] });
  return metrics;
}

function seriesOf(text: string, name: string): readonly Readonly<Record<string, string>>[] {
  const lines = text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? \\S+$`, 'gm'));
  return [...lines].map(([, labels = '']) =>
    Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value])),
  );
}

function isChosen({ label, operator, value }: Matcher, labels: Readonly<Record<string, string>>): boolean {
  const isSame = operator.includes('~')
    ? new RegExp(`^(?:${value})$`).test(labels[label] ?? '')
    : (labels[label] ?? '') === value;
  return isSame !== operator.startsWith('!');
}
