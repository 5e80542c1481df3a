import { defineOperation, type Operation } from '@sluice/api-description';
import { z } from 'zod';
import { chainViewSchema } from './chain-view';

const json = 'application/json';
const chains = { app: 'registry-watcher', tag: 'Chains' } as const;
const chainIdError = 'must be the id of a chain, a whole number from 1 on';

export const chainPathSchema = z.object({
  chainId: z
    .string()
    .regex(/^[1-9]\d{0,15}$/, chainIdError)
    .transform(Number)
    .refine(Number.isSafeInteger, chainIdError),
});
export const noQuerySchema = z.strictObject({});
export const chainsAnswerSchema = z.object({ chains: z.array(chainViewSchema) });

const noSuchChain = { description: 'No such chain is watched.' };

export const listChains = defineOperation({
  ...chains,
  method: 'GET',
  path: '/v1/chains',
  access: 'key',
  summary: 'The chains that are watched, and how far',
  parameters: { query: noQuerySchema },
  responses: { 200: { description: 'Every chain, by its id.', content: { [json]: chainsAnswerSchema } } },
});

export const readChain = defineOperation({
  ...chains,
  method: 'GET',
  path: '/v1/chains/{chainId}',
  access: 'key',
  summary: 'One chain that is watched, and how far',
  parameters: { path: chainPathSchema, query: noQuerySchema },
  responses: { 200: { description: 'The chain.', content: { [json]: chainViewSchema } }, 404: noSuchChain },
});

export const acceptReorg = defineOperation({
  ...chains,
  method: 'POST',
  path: '/v1/chains/{chainId}/accept-reorg',
  access: 'operator',
  summary: 'Agree that a halted chain is undone beyond its finality',
  description:
    'The watcher then takes back the events of blocks that vanished, as far back as it can undo, and goes on. It does so within seconds, not before the answer.',
  parameters: { path: chainPathSchema, query: noQuerySchema },
  responses: {
    200: { description: 'Agreed; the chain as it is.', content: { [json]: chainViewSchema } },
    404: noSuchChain,
    409: { description: 'The chain is not halted.' },
  },
});

/** Every HTTP operation of this app. */
export const registryWatcherOperations: readonly Operation[] = [listChains, readChain, acceptReorg];
