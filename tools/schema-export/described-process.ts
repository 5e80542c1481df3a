import { channel } from 'node:diagnostics_channel';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApi, type HttpMethod, type RegisteredRoute } from '@sluice/api-description';
import type { FastifyInstance } from 'fastify';
import { readBasics, readConfig } from '../../apps/all-in-one/src/config';
import { prepareDataFolder } from '../../apps/all-in-one/src/data-folder';
import type { DevFile } from '../../apps/all-in-one/src/dev-file';
import { createOneProcess } from '../../apps/all-in-one/src/one-process';

export const OPERATOR_KEY = `sk_${'o'.repeat(43)}`;

const FASTIFY_CREATED = 'fastify.initialization';
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const satisfies readonly HttpMethod[];

/** Signs the tokens of the process. */
export const TOKEN_SECRET = 'the token secret of the described process';

export interface DescribedProcess {
  readonly url: string;
  /** The port of the line protocol and RESP. */
  readonly pubSubPort: number;
  /** Every route of every app, as the server registers it. */
  readonly routes: readonly RegisteredRoute[];
  stop(): Promise<void>;
}

/**
 * The one process on the memory engine, with all of its apps.
 * @param settings more of the environment
 */
export async function startDescribedProcess(
  settings: Readonly<Record<string, string>> = {},
): Promise<DescribedProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-described-'));
  const env = {
    SLUICE_ENGINE: 'memory',
    SLUICE_DATA_DIR: dataDir,
    SLUICE_HTTP_PORT: '0',
    SLUICE_GATEWAY_PORT: '0',
    SLUICE_PUBSUB_PORT: '0',
    SLUICE_LOG_LEVEL: 'silent',
    SLUICE_OPERATOR_KEYS: OPERATOR_KEY,
    // A machine that is busy answers late, not otherwise.
    SLUICE_INGEST_PROJECTION_WAIT: '20s',
    SLUICE_WORKSPACE_PROJECTION_WAIT: '20s',
    SLUICE_TOKEN_SECRETS: TOKEN_SECRET,
    ...settings,
  };
  const routes: RegisteredRoute[] = [];
  // From the first route on: the hook of a part would miss those before it.
  const collect = (message: unknown) => {
    const { fastify } = message as { readonly fastify: FastifyInstance };
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) routes.push({ method: each, url });
    });
  };
  // What it tells a newcomer.
  const output = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  channel(FASTIFY_CREATED).subscribe(collect);
  try {
    const basics = readBasics(env);
    const folder = await prepareDataFolder(basics);
    const service = await createOneProcess(basics, folder, (fallbacks) => readConfig(fallbacks, env));
    const { url } = await service.start();
    const dev = JSON.parse(await readFile(join(dataDir, 'dev.json'), 'utf8')) as DevFile;
    return {
      url,
      pubSubPort: dev.pubsub.port,
      routes,
      stop: async () => {
        await service.destroy();
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  } finally {
    channel(FASTIFY_CREATED).unsubscribe(collect);
    output.mockRestore();
  }
}

/** What one operation of the document is. */
export interface DescribedOperation {
  readonly method: HttpMethod;
  readonly path: string;
  readonly 'x-sluice-app': string;
  readonly 'x-sluice-access'?: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: object;
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

/** The operations of the document that the process serves. */
export function describedOperations(): readonly DescribedOperation[] {
  const { paths } = openApi as { readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>> };
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method.toLowerCase()];
      return operation === undefined ? [] : [{ method, path, ...operation } as unknown as DescribedOperation];
    }),
  );
}
