import type { SecretBox } from '@sluice/secret-box';
import { newWebhookSecret } from '@sluice/signed-webhooks';
import { signingSecrets, type WebhookEndpoint, type WebhookSecrets } from '@sluice/webhook-delivery';

type Owned = Pick<WebhookEndpoint, 'workspaceId' | 'endpointId'>;

/** What signs for endpoints: kept sealed, each for its own endpoint, and opened to sign. */
export class EndpointSecrets {
  constructor(private readonly box: SecretBox) {}

  /** A fresh one. @throws SluiceError `invalid_request` where no key is set */
  create(of: Owned): { readonly secret: string; readonly sealed: string } {
    const secret = newWebhookSecret();
    return { secret, sealed: this.box.seal(secret, placeOf(of)) };
  }

  /** Those that sign now, the current one first. @throws SluiceError `configuration` when a key is missing */
  open(of: Owned & Pick<WebhookEndpoint, 'secrets'>, nowMs: number): readonly string[] {
    return signingSecrets(of.secrets, nowMs).map((sealed) => this.box.open(sealed, placeOf(of)));
  }
}

/** After a rotation: the former one signs as well for a while. */
export function rotated({ current }: WebhookSecrets, sealed: string, until: number): WebhookSecrets {
  return { current: sealed, ...(current !== '' && { previous: { secret: current, until } }) };
}

/** Undefined while there is nothing to forget. */
export function withoutFormer({ current, previous }: WebhookSecrets, nowMs: number): WebhookSecrets | undefined {
  return previous !== undefined && previous.until <= nowMs ? { current } : undefined;
}

function placeOf({ workspaceId, endpointId }: Owned) {
  return { workspaceId, id: endpointId, field: 'secret' };
}
