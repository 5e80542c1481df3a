import {
  MAX_TOLD_CALLERS,
  RATE_TELL_INTERVAL_MS,
  type RateExchange,
  type Spending,
  type UntoldReason,
} from './rate-exchange';
import type { Rate } from './token-bucket';

export interface SharedSpendingOptions {
  /** Opens the exchange when something is first spent. A failed opening is tried again with the next interval. */
  readonly open: () => Promise<RateExchange>;
  /** Most callers whose spending is gathered in one interval. */
  readonly maxCallers: number;
  /** Told of what others spent. */
  onSpentElsewhere(spending: Spending): void;
  /** Told of requests that the others will not hear of because there are too many callers. Must not throw. */
  onUntold?(reason: UntoldReason, cost: number): void;
}

/** Gathers what is spent here, tells the others once per interval, and hands on what they spent. */
export class SharedSpending {
  private readonly untold = new Map<string, { cost: number; rate: Rate }>();
  private exchange: RateExchange | undefined;
  private stopListening: () => void = () => undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isClosed = false;

  constructor(private readonly options: SharedSpendingOptions) {}

  add(key: string, cost: number, rate: Rate): void {
    if (this.isClosed) return;
    const known = this.untold.get(key);
    if (known !== undefined) {
      known.cost += cost;
      known.rate = rate;
    } else if (this.untold.size < this.options.maxCallers) {
      this.untold.set(key, { cost, rate });
    } else {
      this.options.onUntold?.('callers_gathered', cost);
    }
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => void this.tell(), RATE_TELL_INTERVAL_MS);
    if (typeof this.timer === 'object') this.timer.unref();
  }

  /** Tells what is still untold, and hears no more. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.timer);
    this.stopListening();
    this.exchange?.tell(this.takeUntold());
  }

  private async tell(): Promise<void> {
    try {
      this.exchange ??= await this.open();
    } catch {
      // What was spent is counted here; whoever opens the exchange says why it cannot be.
    }
    this.timer = undefined;
    const spent = this.takeUntold();
    if (!this.isClosed && spent.length > 0) this.exchange?.tell(spent);
  }

  private async open(): Promise<RateExchange> {
    const exchange = await this.options.open();
    if (!this.isClosed) {
      this.stopListening = exchange.listen((spent) => {
        for (const each of spent) this.options.onSpentElsewhere(each);
      });
    }
    return exchange;
  }

  private takeUntold(): readonly Spending[] {
    const spent = [...this.untold].map(([key, { cost, rate }]): Spending => ({ key, cost, rate }));
    this.untold.clear();
    if (spent.length <= MAX_TOLD_CALLERS) return spent;
    spent.sort((a, b) => b.cost - a.cost);
    const rest = spent.splice(MAX_TOLD_CALLERS).reduce((sum, { cost }) => sum + cost, 0);
    this.options.onUntold?.('callers_told', rest);
    return spent;
  }
}
