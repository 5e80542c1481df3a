import { gatewayUrlOf, type IpfsPath } from './ipfs';

/** Files in a row that a gateway may fail to give before the others are asked first. */
const FAILURES_TO_AVOID = 5;

/** How long it is asked last then. */
const AVOIDED_FOR_MS = 30_000;

/** A place where a file is read. */
export interface FileSource {
  readonly url: string;
  /** The configured gateway that it is at. */
  readonly gateway?: string;
}

/** The configured gateways: in the order of preference, those that fail again and again at the end. */
export class Gateways {
  private readonly failures = new Map<string, number>();
  private readonly avoidedUntil = new Map<string, number>();

  constructor(
    private readonly gateways: readonly string[],
    private readonly now: () => number,
  ) {}

  /** Where to read, in this order. */
  sourcesOf(ipfs: IpfsPath): readonly FileSource[] {
    const now = this.now();
    const isAvoided = (gateway: string): boolean => (this.avoidedUntil.get(gateway) ?? 0) > now;
    const ordered = [
      ...this.gateways.filter((gateway) => !isAvoided(gateway)),
      ...this.gateways.filter((gateway) => isAvoided(gateway)),
    ];
    const configured = ordered.map((gateway) => ({ url: gatewayUrlOf(ipfs, gateway), gateway }));
    const { ownGateway } = ipfs;
    const isOther = ownGateway !== undefined && !configured.some(({ url }) => url === ownGateway);
    return isOther ? [{ url: ownGateway }, ...configured] : configured;
  }

  /** Takes note of what came of a source. */
  report(source: FileSource, answered: boolean): void {
    const { gateway } = source;
    if (gateway === undefined) {
      return;
    }
    const failures = answered ? 0 : (this.failures.get(gateway) ?? 0) + 1;
    this.failures.set(gateway, failures);
    if (failures >= FAILURES_TO_AVOID) {
      this.avoidedUntil.set(gateway, this.now() + AVOIDED_FOR_MS);
    } else if (answered) {
      this.avoidedUntil.delete(gateway);
    }
  }
}
