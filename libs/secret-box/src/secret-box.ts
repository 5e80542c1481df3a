import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { SluiceError } from '@sluice/event-log';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_LENGTH = 16;
const FORM = 's1';

/** What a secret belongs to. It opens nowhere else. */
export interface SecretPlace {
  readonly workspaceId: number;
  /** Id of the thing that has it. */
  readonly id: string;
  /** Which of its secrets it is. */
  readonly field: string;
}

/**
 * Keeps secrets sealed by AES-256-GCM. The first key seals; each opens what it sealed, so that keys can be changed: a new
 * one is put in front, and an old one is taken away when nothing is sealed by it any more.
 */
export class SecretBox {
  private readonly keys: ReadonlyMap<string, Uint8Array>;
  private readonly first: string | undefined;

  /** @throws SluiceError `configuration` for a key that has not 32 bytes */
  constructor(keys: readonly Uint8Array[]) {
    if (keys.some(({ byteLength }) => byteLength !== KEY_BYTES)) {
      throw new SluiceError('configuration', `SLUICE_SECRETS_KEY: each key has to have ${KEY_BYTES} bytes`);
    }
    this.keys = new Map(keys.map((key) => [keyIdOf(key), key]));
    [this.first] = this.keys.keys();
  }

  /** @throws SluiceError `invalid_request` where no key is set */
  requireKey(): void {
    if (this.first !== undefined) return;
    throw new SluiceError('invalid_request', 'Secrets are not kept here: SLUICE_SECRETS_KEY is not set');
  }

  /** The secret as text that tells nothing of it. @throws SluiceError `invalid_request` where no key is set */
  seal(secret: string, place: SecretPlace): string {
    this.requireKey();
    const keyId = this.first ?? '';
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.keyOf(keyId), iv).setAAD(boundTo(place));
    const sealed = Buffer.concat([iv, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return [FORM, keyId, sealed.toString('base64url')].join('.');
  }

  /** @throws SluiceError `configuration` when its key is not there, `internal` when it was sealed for another place */
  open(text: string, place: SecretPlace): string {
    const [form, keyId = '', data = ''] = text.split('.');
    if (form !== FORM) throw new SluiceError('internal', 'A secret is not in a form that is known');
    const key = this.keyOf(keyId);
    try {
      const bytes = Buffer.from(data, 'base64url');
      // A shorter tag would be easier to guess, and is taken where no length is asked for.
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(boundTo(place))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      const plain = [decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()];
      return Buffer.concat(plain).toString('utf8');
    } catch (error) {
      throw new SluiceError('internal', 'A secret does not open', { cause: error });
    }
  }

  private keyOf(keyId: string): Uint8Array {
    const key = this.keys.get(keyId);
    if (key === undefined) {
      throw new SluiceError(
        'configuration',
        `SLUICE_SECRETS_KEY: the key ${keyId}, by which a secret is sealed, is missing`,
      );
    }
    return key;
  }
}

/** Names a key without telling anything of it. */
function keyIdOf(key: Uint8Array): string {
  return createHash('sha256').update('key id').update(key).digest('hex').slice(0, KEY_ID_LENGTH);
}

function boundTo({ workspaceId, id, field }: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify([workspaceId, id, field]));
}
