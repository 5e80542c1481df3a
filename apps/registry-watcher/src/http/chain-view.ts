import type { ChainConfig, ChainStatus } from '@sluice/agent-registry';
import { z } from 'zod';
import { CHAIN_PHASES, chainReportSchema, type ChainReport } from '../chain/chain-report';

/** `waiting`: no process has it. `retrying`: it goes on by itself once a fault is over. `halted`: an operator is needed. */
const CHAIN_STATES = ['waiting', 'running', 'retrying', 'halted'] as const;

const isoTime = z.string().meta({ format: 'date-time' });
const blockSchema = z.object({ number: z.int(), hash: z.string() });

/** One chain as it is shown. */
export const chainViewSchema = z.object({
  chainId: z.int(),
  name: z.string().nullable(),
  state: z.enum(CHAIN_STATES),
  phase: z.enum(CHAIN_PHASES),
  holder: z.string().nullable().meta({ description: 'The process that watches the chain.' }),
  block: blockSchema.nullable().meta({ description: 'The last block that was worked off.' }),
  head: chainReportSchema.shape.head,
  lagBlocks: chainReportSchema.shape.lagBlocks,
  progress: chainReportSchema.shape.progress,
  blocksPerSecond: z.number(),
  eventsPerSecond: z.number(),
  secondsLeft: chainReportSchema.shape.secondsLeft,
  events: chainReportSchema.shape.events,
  outboxEvents: chainReportSchema.shape.outboxEvents,
  delivery: z.enum(['immediate', 'confirmed']).nullable(),
  confirmations: z.int().nullable(),
  halted: z
    .object({ reason: z.string(), message: z.string(), haltedAt: isoTime, cursor: blockSchema })
    .nullable()
    .meta({ description: 'Why nothing more is read until an operator agrees to undo what was final.' }),
  acceptsDeepReorg: z.boolean().meta({ description: 'An operator has agreed; the watcher has not acted yet.' }),
  fault: z
    .object({
      code: z.string(),
      message: z
        .string()
        .nullable()
        .meta({ description: 'For operators: endpoints may repeat what is secret in their URLs.' }),
      since: isoTime,
    })
    .nullable(),
  reportedAt: isoTime.nullable().meta({ description: 'When the watcher last said something.' }),
});

export type ChainView = z.infer<typeof chainViewSchema>;

const iso = (atMs: number) => new Date(atMs).toISOString();

/** Chains of the store, and those that this process is to watch and nobody has begun with; by their ids. */
export function viewChains(statuses: readonly ChainStatus[], configured: readonly ChainConfig[]): ChainView[] {
  const known = new Set(statuses.map(({ chainId }) => chainId));
  const rest = configured.filter(({ chainId }) => !known.has(chainId)).map(viewUntouched);
  const nameOf = new Map(configured.map(({ chainId, name }) => [chainId, name]));
  const views = statuses.map((status) => viewChain(status, nameOf.get(status.chainId)));
  return [...views, ...rest].sort((one, other) => one.chainId - other.chainId);
}

/** What everybody may see of a chain. */
export function withoutSecrets(view: ChainView): ChainView {
  return view.fault === null ? view : { ...view, fault: { ...view.fault, message: null } };
}

function viewChain(status: ChainStatus, configuredName: string | undefined): ChainView {
  const { chainId, cursor, holder, halted, acceptsDeepReorg, reportedAt } = status;
  const parsed = chainReportSchema.safeParse(status.report);
  const report = parsed.success ? parsed.data : undefined;
  return {
    ...fieldsOf(report),
    chainId,
    name: report?.name ?? configuredName ?? null,
    state: stateOf(status, report),
    holder: holder ?? null,
    ...(report && cursor && distancesFrom(cursor.number, report)),
    block: cursor === undefined ? null : { number: cursor.number, hash: cursor.hash },
    halted:
      halted === undefined
        ? null
        : {
            reason: halted.reason,
            message: halted.message,
            haltedAt: iso(halted.haltedAt),
            cursor: { number: halted.cursor.number, hash: halted.cursor.hash },
          },
    acceptsDeepReorg,
    reportedAt: reportedAt === undefined ? null : iso(reportedAt),
  };
}

function stateOf({ holder, halted }: ChainStatus, report: ChainReport | undefined): ChainView['state'] {
  if (halted !== undefined) return 'halted';
  if (holder === undefined) return 'waiting';
  return report?.fault == null ? 'running' : 'retrying';
}

/** The cursor is stored with each step, the report now and then: what is told of both has to agree. */
function distancesFrom(block: number, report: ChainReport): Partial<ChainView> {
  const { head, lagBlocks, startBlock, blocksPerSecond } = report;
  if (head === null || lagBlocks === null || report.block === null) return {};
  const lag = Math.max(0, lagBlocks + report.block - block);
  const done = Math.max(0, block - startBlock + 1);
  return {
    head: Math.max(head, block),
    lagBlocks: lag,
    progress: done + lag === 0 ? 1 : Math.round((done / (done + lag)) * 10_000) / 10_000,
    ...(report.secondsLeft !== null && { secondsLeft: Math.ceil(lag / blocksPerSecond) }),
  };
}

function fieldsOf(report: ChainReport | undefined) {
  const fault = report?.fault ?? null;
  return {
    phase: report?.phase ?? ('waiting' as const),
    head: report?.head ?? null,
    lagBlocks: report?.lagBlocks ?? null,
    progress: report?.progress ?? null,
    blocksPerSecond: report?.blocksPerSecond ?? 0,
    eventsPerSecond: report?.eventsPerSecond ?? 0,
    secondsLeft: report?.secondsLeft ?? null,
    events: report?.events ?? 0,
    outboxEvents: report?.outboxEvents ?? 0,
    delivery: report?.delivery ?? null,
    confirmations: report?.confirmations ?? null,
    fault: fault === null ? null : { code: fault.code, message: fault.message, since: iso(fault.since) },
  };
}

function viewUntouched({ chainId, name, delivery, confirmations }: ChainConfig): ChainView {
  return {
    ...fieldsOf(undefined),
    chainId,
    name,
    delivery,
    confirmations,
    state: 'waiting',
    holder: null,
    block: null,
    halted: null,
    acceptsDeepReorg: false,
    reportedAt: null,
  };
}
