import { parser } from '@prometheus-io/lezer-promql';

type Node = ReturnType<typeof parser.parse>['topNode'];

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

/** What is known of the metrics that queries may name. */
export interface KnownMetrics {
  /** Those of the metric and of its target; undefined for a metric that nobody exports. */
  labelsOf(name: string): ReadonlySet<string> | undefined;
  isCounted(name: string): boolean;
  /** Whether a process that has done nothing has a series that the matchers choose. */
  isThereAtStart(name: string, matchers: readonly Matcher[]): boolean;
}

/** Functions of what a counter has gained. */
const GAINS = new Set(['rate', 'irate', 'increase']);
/** Aggregations that choose series, and keep their labels. */
const CHOICES = new Set(['topk', 'bottomk', 'limitk', 'limit_ratio']);
const NONE: ReadonlySet<string> = new Set();

/** One query in PromQL, held against the metrics that there are. */
export class Query {
  private readonly top: Node;

  constructor(
    private readonly text: string,
    private readonly metrics: KnownMetrics,
  ) {
    this.top = parser.parse(text).topNode;
  }

  /** What is wrong with its syntax, its metrics, their labels, and with what it counts; one line each. */
  faults(): readonly string[] {
    const nodes = allNodes(this.top);
    const broken = nodes.find(({ type }) => type.isError);
    if (broken) return [`cannot be parsed from character ${broken.from} on`];
    const selectors = nodes.filter(({ name }) => name === 'VectorSelector');
    const unknown = selectors.map((each) => this.metricOf(each)).filter((name) => !this.metrics.labelsOf(name));
    if (unknown.length > 0) return unknown.map((name) => `nobody exports ${name}`);
    return [
      ...selectors.flatMap((each) => this.faultsOfMatchers(each)),
      ...nodes.filter(({ name }) => name === 'GroupingLabels').flatMap((each) => this.faultsOfGroup(each)),
      ...nodes.filter(({ name }) => name === 'FunctionCall').flatMap((each) => this.faultsOfGain(each)),
    ];
  }

  /** What it chooses from the metrics. */
  selectors(): readonly Selector[] {
    const selectors = allNodes(this.top).filter(({ name }) => name === 'VectorSelector');
    return selectors.map((each) => ({ metric: this.metricOf(each), matchers: this.matchersOf(each) }));
  }

  /** The labels that all it finds can have. Of a query without faults. */
  labels(): ReadonlySet<string> {
    return this.labelsOf(this.top) ?? NONE;
  }

  private faultsOfMatchers(selector: Node): readonly string[] {
    const name = this.metricOf(selector);
    const labels = this.metrics.labelsOf(name) ?? NONE;
    const wrong = this.matchersOf(selector).filter(({ label }) => !labels.has(label));
    return wrong.map(({ label }) => `${name} has no label ${label}`);
  }

  /** Of `by`, `without`, `on` and `ignoring`. */
  private faultsOfGroup(group: Node): readonly string[] {
    const parts = group.parent?.parent ? childrenOf(group.parent.parent) : [];
    const labels = new Set(parts.flatMap((part) => [...(this.labelsOf(part) ?? NONE)]));
    const wrong = this.textsOf(group, 'LabelName').filter((label) => !labels.has(label));
    return wrong.map((label) => `nothing in ${this.textOf(group.parent?.parent ?? group)} has a label ${label}`);
  }

  /** A series that begins with its first step shows no step: it has to be there before, as 0. */
  private faultsOfGain(call: Node): readonly string[] {
    const [called = ''] = this.textsOf(call, 'FunctionIdentifier');
    if (!GAINS.has(called)) return [];
    return allNodes(call).flatMap((node) => {
      if (node.name !== 'VectorSelector') return [];
      const name = this.metricOf(node);
      if (!this.metrics.isCounted(name)) return [`${called} of ${name}, which is no counter`];
      if (node.parent?.name !== 'MatrixSelector') return [`${called} of ${name} without a range`];
      const isThere = this.metrics.isThereAtStart(name, this.matchersOf(node));
      return isThere ? [] : [`${this.textOf(node)} is not there before it is counted for the first time`];
    });
  }

  /** Undefined for a number, and for what is no expression. */
  private labelsOf(node: Node): ReadonlySet<string> | undefined {
    switch (node.name) {
      case 'VectorSelector':
        return this.metrics.labelsOf(this.metricOf(node));
      case 'AggregateExpr':
        return this.labelsOfAggregate(node);
      case 'BinaryExpr':
        return this.labelsOfBinary(node);
      case 'FunctionCall':
        return this.labelsOfCall(node);
      default:
        return childrenOf(node)
          .map((child) => this.labelsOf(child))
          .find((labels) => labels !== undefined);
    }
  }

  private labelsOfAggregate(node: Node): ReadonlySet<string> {
    const [operator = ''] = this.textsOf(node, 'AggregateOp');
    const body = node.getChild('FunctionCallBody');
    const modifier = node.getChild('AggregateModifier');
    const inner = (body && this.labelsOf(body)) ?? NONE;
    if (CHOICES.has(operator)) return inner;
    return modifier ? this.narrowed(inner, modifier, 'By') : NONE;
  }

  private labelsOfBinary(node: Node): ReadonlySet<string> | undefined {
    const [left, right] = childrenOf(node).flatMap((child) => this.labelsOf(child) ?? []);
    if (!left || !right) return left;
    // Of what is found on either side only the labels of both are sure to be there.
    if (node.getChild('Or')) return new Set([...left].filter((label) => right.has(label)));
    const modifier = node.getChild('MatchingModifierClause');
    if (!modifier || node.getChild('And') || node.getChild('Unless')) return left;
    if (!modifier.getChild('GroupLeft')) return this.narrowed(left, modifier, 'On');
    const [, brought] = modifier.getChildren('GroupingLabels');
    return new Set([...left, ...(brought ? this.textsOf(brought, 'LabelName') : [])]);
  }

  private labelsOfCall(node: Node): ReadonlySet<string> | undefined {
    const [called = ''] = this.textsOf(node, 'FunctionIdentifier');
    const body = node.getChild('FunctionCallBody');
    if (!body || called === 'time') return undefined;
    if (called === 'vector') return NONE;
    if (called === 'absent') {
      const matchers = allNodes(body).flatMap((each) => (each.name === 'VectorSelector' ? this.matchersOf(each) : []));
      return new Set(matchers.filter(({ operator }) => operator === '=').map(({ label }) => label));
    }
    const inner = [...(this.labelsOf(body) ?? NONE)];
    if (called === 'histogram_quantile') return new Set(inner.filter((label) => label !== 'le'));
    if (called === 'label_replace') return new Set([...inner, unquoted(this.textsOf(body, 'StringLiteral')[0])]);
    return new Set(inner);
  }

  /** Those that the modifier names where it has the keyword, else those that it does not name. */
  private narrowed(labels: ReadonlySet<string>, modifier: Node, keyword: 'By' | 'On'): ReadonlySet<string> {
    const group = modifier.getChild('GroupingLabels');
    const named = new Set(group ? this.textsOf(group, 'LabelName') : []);
    const isKept = modifier.getChild(keyword) !== null;
    return new Set([...labels].filter((label) => named.has(label) === isKept));
  }

  private matchersOf(selector: Node): readonly Matcher[] {
    const matchers = selector.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
    return matchers.map((matcher) => ({
      label: this.textsOf(matcher, 'LabelName')[0] ?? '',
      operator: this.textsOf(matcher, 'MatchOp')[0] ?? '',
      value: unquoted(this.textsOf(matcher, 'StringLiteral')[0]),
    }));
  }

  private metricOf(selector: Node): string {
    return this.textsOf(selector, 'Identifier')[0] ?? '';
  }

  private textsOf(node: Node, name: string): readonly string[] {
    return node.getChildren(name).map((child) => this.textOf(child));
  }

  private textOf({ from, to }: Pick<Node, 'from' | 'to'>): string {
    return this.text.slice(from, to);
  }
}

const unquoted = (literal = '""') => literal.slice(1, -1);

function childrenOf(node: Node): readonly Node[] {
  const children: Node[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) children.push(child);
  return children;
}

function allNodes(node: Node): readonly Node[] {
  return [node, ...childrenOf(node).flatMap(allNodes)];
}
