/** A gauge of the registry of metrics. */
interface LabelledGauge<L> {
  set(labels: L, value: number): void;
  remove(labels: L): void;
}

interface Shown {
  readonly isLasting: boolean;
  show(): void;
  hide(): void;
}

/** Gauges of one chain that are shown by the process that has the chain, and by no other: there they would stand still. */
export class HolderGauges {
  private isHolder = false;
  /** By gauge and labels, of which there are as many as the configuration has chains and endpoints. */
  private readonly values = new Map<object, Map<string, Shown>>();

  /** `isLasting`: true of the world also while another process has the chain, and shown again with the next hold. */
  set<L extends object>(gauge: LabelledGauge<L>, labels: L, value: number, isLasting = false): void {
    if (!this.isHolder && !isLasting) return;
    const ofGauge = this.values.get(gauge) ?? new Map<string, Shown>();
    this.values.set(gauge, ofGauge);
    const shown = { isLasting, show: () => gauge.set(labels, value), hide: () => gauge.remove(labels) };
    ofGauge.set(JSON.stringify(labels), shown);
    if (this.isHolder) shown.show();
  }

  hold(): void {
    this.isHolder = true;
    for (const ofGauge of this.values.values()) for (const { show } of ofGauge.values()) show();
  }

  release(): void {
    this.isHolder = false;
    for (const ofGauge of this.values.values()) {
      for (const [labels, { hide, isLasting }] of ofGauge) {
        hide();
        if (!isLasting) ofGauge.delete(labels);
      }
    }
  }
}
