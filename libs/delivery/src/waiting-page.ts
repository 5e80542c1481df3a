import type { SubscriptionHost } from './subscription-host';

/** Tells the host how many bytes of a page wait for one subscriber. */
export class WaitingPage {
  private bytes = 0;

  constructor(
    private readonly host: Pick<SubscriptionHost, 'addWaitingPageBytes'>,
    private readonly caller: string,
  ) {}

  note(bytes: number): void {
    this.host.addWaitingPageBytes(this.caller, bytes - this.bytes);
    this.bytes = bytes;
  }
}
