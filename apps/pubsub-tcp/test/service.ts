import { issueApiKey, type WorkspaceRole } from '@sluice/access';
import { createAppHost, hostSettings, serveParts, toHostConfig, type AppHost } from '@sluice/engine';
import { sandboxEnvelope } from '@sluice/event-log/conformance';
import type { EncodedEnvelope } from '@sluice/event-schema';
import { defineSettings, parseSettings, readEnv, type Service } from '@sluice/service-runtime';
import { createHmac } from 'node:crypto';
import { pubSubSettings, toPubSubConfig } from '../src/config';
import type { PubSubLimits } from '../src/limits';
import { createPubSubPart, type PubSubPart } from '../src/pubsub-part';

const SECRET = 'a secret for tests that is long enough';
const settings = defineSettings({ ...hostSettings({ httpPort: 0 }), ...pubSubSettings });

export interface TestServiceOptions {
  readonly limits?: Partial<PubSubLimits>;
  readonly env?: Readonly<Record<string, string>>;
}

/** The real service on the memory engine, on free ports. */
export class TestService {
  private constructor(
    readonly host: AppHost,
    private readonly service: Service,
    readonly part: PubSubPart,
    readonly port: number,
    readonly url: string,
  ) {}

  static async start({ limits, env = {} }: TestServiceOptions = {}): Promise<TestService> {
    const values = parseSettings(
      settings,
      readEnv(settings, {
        SLUICE_ENGINE: 'memory',
        SLUICE_HTTP_HOST: '127.0.0.1',
        SLUICE_PUBSUB_HOST: '127.0.0.1',
        SLUICE_PUBSUB_PORT: '0',
        SLUICE_TOKEN_SECRETS: SECRET,
        SLUICE_LOG_LEVEL: 'silent',
        ...env,
      }),
    );
    const host = createAppHost(toHostConfig('pubsub-test', values));
    const part = await createPubSubPart(host, toPubSubConfig(values), limits);
    const service = serveParts(host, [part]);
    const { url } = await service.start();
    return new TestService(host, service, part, part.port(), url);
  }

  stop(): Promise<void> {
    return this.service.destroy();
  }

  /** Records events and publishes them, as the projector does. */
  async append(...envelopes: readonly EncodedEnvelope[]): Promise<void> {
    const readModel = await this.host.engine.readModel();
    const deliveryLog = await this.host.engine.deliveryLog();
    const { epoch, recorded } = await readModel.record({ envelopes, parked: [], checkpoints: new Map() });
    await deliveryLog.publish({ epoch, events: recorded });
  }

  /** Appends events whose `data.n` counts from the first number on. */
  async appendNumbers(from: number, count: number, sandboxId = 'box-1', padding = 0): Promise<void> {
    const pad = 'x'.repeat(padding);
    await this.append(
      ...Array.from({ length: count }, (_, index) =>
        sandboxEnvelope({ entityId: sandboxId, data: { n: from + index, ...(padding > 0 && { pad }) } }),
      ),
    );
  }

  async token(sandboxId = 'box-1', workspaceId = 1): Promise<string> {
    const access = await this.host.access();
    return (await access.mintAccessToken({ workspaceId, sandboxId })).accessToken;
  }

  async apiKey(workspaceId = 1, role: WorkspaceRole = 'reader', connections?: number): Promise<string> {
    const store = await this.host.engine.apiKeys();
    const limits = connections === undefined ? {} : { limits: { connections } };
    return (await issueApiKey(store, { workspaceId, role, name: 'test', ...limits })).apiKey;
  }

  /** The value of a metric, summed over its labels, or over those with this text. */
  async metric(name: string, labels = ''): Promise<number> {
    const text = await this.host.metrics.expose();
    const lines = text.split('\n').filter((line) => /^[^ {]*/.exec(line)?.[0] === name && line.includes(labels));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }
}

/** A token with any claims; `alg: none` has no signature. */
export function forgeToken(claims: object, alg: 'HS256' | 'none' = 'HS256', secret = SECRET): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${alg === 'none' ? '' : createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
