import { issueApiKey } from '@sluice/access';
import { createAppHost, serveParts, toHostConfig, type AppHost } from '@sluice/engine';
import { send, type Answer } from '@sluice/engine/conformance';
import { parseSettings, readEnv, type Service } from '@sluice/service-runtime';
import { settings, toProjectorConfig } from '../src/config';
import { createProjectorPart } from '../src/projector-part';

const OPERATOR_KEY = `sk_${'o'.repeat(43)}`;
const values = parseSettings(
  settings,
  readEnv(settings, {
    SLUICE_ENGINE: 'memory',
    SLUICE_HTTP_HOST: '127.0.0.1',
    SLUICE_HTTP_PORT: '0',
    SLUICE_LOG_LEVEL: 'silent',
    SLUICE_OPERATOR_KEYS: OPERATOR_KEY,
  }),
);

/** The doors of a projector on the memory engine. */
export class OperatorDoors {
  private served: { readonly host: AppHost; readonly service: Service; readonly url: string } | undefined;

  /** New ones for each test of the block that calls it. */
  static ofEachTest(): OperatorDoors {
    const doors = new OperatorDoors();
    beforeEach(async () => {
      const host = createAppHost(toHostConfig('projector', values));
      const service = serveParts(host, [await createProjectorPart(host, toProjectorConfig(values))]);
      doors.served = { host, service, url: (await service.start()).url };
    });
    afterEach(() => doors.served?.service.destroy());
    return doors;
  }

  get host(): AppHost {
    return this.current.host;
  }

  /** As an operator. */
  call(method: string, path: string, json?: unknown): Promise<Answer> {
    return this.send(method, path, OPERATOR_KEY, json);
  }

  /** The statuses for a stranger, for an administrator of a workspace, and for an operator who asks for what there is not. */
  async refusals(method: string, path: string, json?: unknown): Promise<readonly number[]> {
    const keys = await this.host.engine.apiKeys();
    const { apiKey } = await issueApiKey(keys, { workspaceId: 1, role: 'admin', name: 'of a workspace' });
    const answers = [
      await this.send(method, path, undefined, json),
      await this.send(method, path, apiKey, json),
      await this.call(method, `${path}?more=1`, json),
    ];
    return answers.map(({ status }) => status);
  }

  private send(method: string, path: string, key: string | undefined, json?: unknown): Promise<Answer> {
    return send(this.current.url, path, {
      method,
      ...(key === undefined ? {} : { key }),
      ...(json === undefined ? {} : { json }),
    });
  }

  private get current() {
    if (!this.served) throw new Error('no doors outside of a test');
    return this.served;
  }
}
