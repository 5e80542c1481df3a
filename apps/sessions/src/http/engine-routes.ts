import { SluiceError } from '@sluice/event-log';
import { z } from 'zod';
import { repeatableId } from '../documents/shelf';
import type { RegisteredEngine, RegisteredEngines } from '../engines/registered-engines';
import { idField } from '../sessions/session-params';
import { createdPlaceSchema, decodePage, encodePage, limitField, orderField, pageField } from './paging';
import type { SdkDoor } from './sdk-door';
import { defineSdkRoute } from './sdk-route';
import { pageOf } from './session-routes';

const tag = 'engines';
const LIST = 'engines';
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;
const MAX_NAME_LENGTH = 256;
const MAX_URL_LENGTH = 2_048;

const engineSchema = z.object({
  id: z.string(),
  type: z.literal('engine'),
  name: z.string(),
  url: z.string(),
  created_at: z.string(),
});

const enginePath = z.object({ engineId: idField });
const noEngine = { 404: 'There is no such engine.' } as const;
const of = { tag, path: '/runtime/v1/engines/{engineId}', params: enginePath } as const;

const urlField = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .max(MAX_URL_LENGTH)
  .refine((url) => {
    // What is no URL has been told of.
    const { username, password } = URL.canParse(url) ? new URL(url) : { username: '', password: '' };
    return username === '' && password === '';
  }, 'must not carry credentials');

export const engineRoutes = {
  create: defineSdkRoute({
    method: 'POST',
    path: '/runtime/v1/engines',
    tag,
    summary: 'Register an engine that is reached by HTTP',
    description:
      'An agent names it by `metadata.engine`. `secret` signs what the engine is told, by Standard Webhooks; it is shown only here.',
    body: z.strictObject({ name: z.string().min(1).max(MAX_NAME_LENGTH), url: urlField }),
    answer: engineSchema.extend({ secret: z.string() }),
    refusals: { 409: 'The workspace has as many engines as it may have.' },
  }),
  list: defineSdkRoute({
    method: 'GET',
    path: '/runtime/v1/engines',
    tag,
    summary: 'List registered engines, by creation',
    query: { limit: limitField(DEFAULT_LIMIT, MAX_LIMIT), order: orderField('asc'), page: pageField },
    answer: pageOf(engineSchema),
  }),
  get: defineSdkRoute({
    ...of,
    method: 'GET',
    summary: 'Read a registered engine',
    answer: engineSchema,
    refusals: noEngine,
  }),
  delete: defineSdkRoute({
    ...of,
    method: 'DELETE',
    summary: 'Forget a registered engine',
    description: 'Runs that it was not told of yet are given up; those that it works on may still report.',
    answer: z.object({ id: z.string(), type: z.literal('engine_deleted') }),
    refusals: noEngine,
    takesKey: false,
  }),
};

export function openEngines(door: SdkDoor, engines: RegisteredEngines): void {
  door.on(engineRoutes.create, async ({ workspaceId, body, repetition }) => {
    const engine = await engines.register(workspaceId, body, repeatableId('eng', repetition));
    return { ...toView(engine), secret: engine.secret };
  });
  door.on(engineRoutes.list, async ({ workspaceId, query: { limit, order, page } }) => {
    const found = await engines.list(workspaceId, { order, limit: limit + 1, ...afterOf(page, order) });
    const data = found.slice(0, limit);
    const last = found.length > limit ? data.at(-1) : undefined;
    return {
      data: data.map(toView),
      next_page: last === undefined ? null : encodePage(LIST, order, [last.createdAtMs, last.id]),
    };
  });
  door.on(engineRoutes.get, async ({ workspaceId, params }) => {
    const engine = await engines.find(workspaceId, params.engineId);
    if (!engine) throw noSuchEngine();
    return toView(engine);
  });
  door.on(engineRoutes.delete, async ({ workspaceId, params: { engineId } }) => {
    if (!(await engines.remove(workspaceId, engineId))) throw noSuchEngine();
    return { id: engineId, type: 'engine_deleted' };
  });
}

function toView({ id, name, url, createdAtMs }: RegisteredEngine) {
  return { id, type: 'engine', name, url, created_at: new Date(createdAtMs).toISOString() };
}

function afterOf(page: string | undefined, order: 'ascending' | 'descending') {
  if (page === undefined) return {};
  const [createdAtMs, id] = decodePage(page, LIST, order, createdPlaceSchema);
  return { after: { createdAtMs, id } };
}

function noSuchEngine(): SluiceError {
  return new SluiceError('not_found', 'There is no such engine');
}
