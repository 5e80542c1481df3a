import type { Logger, MetricsRegistry } from '@sluice/service-runtime';
import { LIST_REFUSALS, type ListRefusal } from './http/agents/list-gate';

/** Who did something that is worth a line in the log. */
export interface Actor {
  readonly keyId: string;
  readonly workspaceId: number | null;
}

/** Everything that the query app tells its operators, beyond what every service does. */
export interface QuerySignals {
  /** Events in an answer, by door. */
  read(door: 'sandbox' | 'generic' | 'agent', events: number): void;
  /** Agents, or feedback about one, in an answer. */
  listed(what: 'agents' | 'feedback', count: number): void;
  /** A list of agents or feedback that was not read, or not to its end: see `ListRefusal`; `slow`, it took too long. */
  listRefused(reason: ListRefusal | 'slow'): void;
  /** How many of them are under way, for whenever somebody looks. */
  countLists(count: () => { readonly running: number; readonly waiting: number }): void;
  /** A fault of ours where the runtime does not see it. */
  fault(error: unknown): void;
  keyCreated(actor: Actor, key: { keyId: string; workspaceId: number | null; role: string }): void;
  keyRevoked(actor: Actor, keyId: string): void;
  tokenMinted(actor: Actor, token: { workspaceId: number; sandboxId: string; expiresAt: number }): void;
  replayed(actor: Actor, counts: { replayed: number; refused: number }): void;
}

export function createQuerySignals(metrics: MetricsRegistry, logger: Logger): QuerySignals {
  const events = metrics.counter({
    name: 'sluice_query_events_total',
    help: 'Events in answers, by door.',
    labels: ['door'],
  });
  const listed = metrics.counter({
    name: 'sluice_query_agents_total',
    help: 'Agents, and feedback about agents, in answers, by what.',
    labels: ['what'],
  });
  const refused = metrics.counter({
    name: 'sluice_query_lists_refused_total',
    help: 'Lists of agents and feedback that were refused, by reason.',
    labels: ['reason'],
    values: { reason: [...LIST_REFUSALS, 'slow'] },
  });
  const administered = metrics.counter({
    name: 'sluice_query_administration_total',
    help: 'Keys created and revoked, tokens minted, parked records replayed and refused, by action.',
    labels: ['action'],
  });
  const by = ({ keyId, workspaceId }: Actor) => ({ byKeyId: keyId, byWorkspaceId: workspaceId });
  return {
    read: (door, count) => events.inc({ door }, count),
    listed: (what, count) => listed.inc({ what }, count),
    listRefused: (reason) => refused.inc({ reason }),
    countLists(count) {
      metrics.gauge({
        name: 'sluice_query_lists',
        help: 'Lists of agents and feedback that are being read, or wait for their turn, by state.',
        labels: ['state'],
        collect(gauge) {
          const { running, waiting } = count();
          gauge.set({ state: 'running' }, running);
          gauge.set({ state: 'waiting' }, waiting);
        },
      });
    },
    fault: (error) => logger.error('a request failed', { error }),
    keyCreated(actor, { keyId, workspaceId, role }) {
      administered.inc({ action: 'key_created' });
      logger.info('api key created', { ...by(actor), keyId, workspaceId, role });
    },
    keyRevoked(actor, keyId) {
      administered.inc({ action: 'key_revoked' });
      logger.info('api key revoked', { ...by(actor), keyId });
    },
    tokenMinted(actor, { workspaceId, sandboxId, expiresAt }) {
      administered.inc({ action: 'token_minted' });
      logger.info('access token minted', { ...by(actor), workspaceId, sandboxId, expiresAt });
    },
    replayed(actor, { replayed, refused }) {
      administered.inc({ action: 'record_replayed' }, replayed);
      administered.inc({ action: 'record_refused' }, refused);
      logger.info('parked records replayed', { ...by(actor), replayed, refused });
    },
  };
}
