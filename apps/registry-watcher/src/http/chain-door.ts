import { authorise, type Principal } from '@sluice/access';
import type { ChainConfig, ChainStore } from '@sluice/agent-registry';
import type { Operation } from '@sluice/api-description';
import type { HttpGatekeeper } from '@sluice/engine';
import { SluiceError } from '@sluice/event-log';
import { PUBLIC_WORKSPACE_ID } from '@sluice/event-schema';
import { validate } from '@sluice/service-runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RegistryWatcherSignals } from '../signals';
import { viewChains, withoutSecrets, type ChainView } from './chain-view';
import { acceptReorg, chainPathSchema, listChains, noQuerySchema, readChain } from './operations';

/** No request to this app has a body worth more. */
const MAX_BODY_BYTES = 1_024;

/** What the doors need. The store is opened by the first request where nothing else has opened it. */
export interface ChainDoorPorts {
  readonly store: () => Promise<Pick<ChainStore, 'statuses' | 'acceptDeepReorg'>>;
  readonly chains: readonly ChainConfig[];
  readonly signals: Pick<RegistryWatcherSignals, 'reorgAccepted'>;
}

/** `/v1/chains`: what is watched and how far, for every key; the way out of a halt, for operators. */
export class ChainDoor {
  constructor(
    private readonly ports: ChainDoorPorts,
    private readonly gatekeeper: HttpGatekeeper,
  ) {}

  open(fastify: FastifyInstance): void {
    this.on(fastify, listChains, async (principal) => {
      authoriseReading(principal);
      return { chains: await this.views(principal) };
    });
    this.on(fastify, readChain, async (principal, request) => {
      authoriseReading(principal);
      return this.view(chainIdOf(request), principal);
    });
    this.on(fastify, acceptReorg, async (principal, request) => {
      authorise(principal, 'administer', { workspaceId: null });
      return this.accept(chainIdOf(request), principal);
    });
  }

  private on(
    fastify: FastifyInstance,
    operation: Operation,
    answer: (principal: Principal, request: FastifyRequest) => Promise<object>,
  ): void {
    fastify.route({
      method: operation.method,
      url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      bodyLimit: MAX_BODY_BYTES,
      // Strangers are turned away before their body is read.
      onRequest: async (request) => {
        request.principal = await this.gatekeeper.admit(request);
      },
      handler: async (request, reply) => {
        const { principal } = request;
        if (principal === undefined) throw new SluiceError('unauthorized', 'API key required');
        validate(noQuerySchema, request.query, 'query');
        const body = await answer(principal, request);
        reply.type('application/json; charset=utf-8');
        return JSON.stringify(body);
      },
    });
  }

  private async accept(chainId: number, principal: Principal): Promise<ChainView> {
    await this.view(chainId, principal);
    const store = await this.ports.store();
    if (!(await store.acceptDeepReorg(chainId))) throw new SluiceError('conflict', 'The chain is not halted');
    this.ports.signals.reorgAccepted(chainId, principal.kind === 'api_key' ? principal.keyId : principal.kind);
    return this.view(chainId, principal);
  }

  private async view(chainId: number, principal: Principal): Promise<ChainView> {
    const view = (await this.views(principal)).find((each) => each.chainId === chainId);
    if (view === undefined) throw new SluiceError('not_found', 'No such chain is watched', { where: 'path.chainId' });
    return view;
  }

  private async views(principal: Principal): Promise<ChainView[]> {
    const store = await this.ports.store();
    const views = viewChains(await store.statuses(), this.ports.chains);
    const isOperator = principal.kind === 'api_key' && principal.workspaceId === null;
    return isOperator ? views : views.map(withoutSecrets);
  }
}

function authoriseReading(principal: Principal): void {
  authorise(principal, 'read', { workspaceId: PUBLIC_WORKSPACE_ID, family: 'registry' });
}

function chainIdOf(request: FastifyRequest): number {
  return validate(chainPathSchema, request.params, 'path').chainId;
}
