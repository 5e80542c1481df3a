import type { BlockHeader, BlockRef, ChainConfig } from '@sluice/agent-registry';
import { SluiceError } from '@sluice/event-log';
import { FactsOfLogs } from './chain/facts-of-logs';
import { agreedHeaders, plainHeader } from './chain/header-reader';
import { HistoryReader } from './chain/history-reader';
import { LiveReader } from './chain/live-reader';
import { agreementOf, endpointsOf } from './endpoints-of';
import { HeadSocket } from './heads/head-socket';
import { HeadWatch } from './heads/head-watch';
import { DEFAULT_LIMITS, type RegistrySourceLimits } from './limits';
import { createDecoder } from './logs/decode';
import { RpcPool } from './rpc/pool';
import { NO_SIGNALS, type RegistrySourceSignals } from './signals';
import type { HistoryRange, NextBlocks, RegistrySource, RegistrySourceOptions } from './source';

/** A source for one chain. @throws SluiceError `configuration` when fewer endpoints are given than have to agree. */
export function createRegistrySource(options: RegistrySourceOptions): RegistrySource {
  const { chain } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const signals = { ...NO_SIGNALS, ...options.signals };
  const endpoints = endpointsOf(chain, { limits, signals, fetch: options.fetch ?? fetch });
  const needed = agreementOf(chain);
  if (endpoints.length < needed) {
    const message = `Chain ${chain.chainId}: ${needed} endpoints have to agree, but ${endpoints.length} are given`;
    throw new SluiceError('configuration', message);
  }
  const pool = new RpcPool({ name: `Chain ${chain.chainId}`, endpoints, needed, limits, signals });
  return new PooledRegistrySource(chain, pool, limits, signals);
}

/** Blocks below the head at which the endpoints are tried for agreement, when they are on different branches. */
const STEPS_BACK = [0, 1, 2, 4, 8, 16, 32, 64];

class PooledRegistrySource implements RegistrySource {
  private readonly history: HistoryReader;
  private readonly live: LiveReader;
  private readonly heads: HeadWatch;

  constructor(
    private readonly chain: ChainConfig,
    private readonly pool: RpcPool,
    limits: RegistrySourceLimits,
    signals: RegistrySourceSignals,
  ) {
    const eas = chain.eas?.toLowerCase();
    const decode = createDecoder({
      identityRegistry: chain.identityRegistry.toLowerCase(),
      reputationRegistry: chain.reputationRegistry.toLowerCase(),
      validationRegistry: chain.validationRegistry?.toLowerCase(),
      eas,
    });
    const facts = new FactsOfLogs({ decode, eas, pool, signals });
    this.history = new HistoryReader({ chain, pool, facts, limits, signals });
    this.live = new LiveReader({ chain, pool, facts, limits, signals });
    this.heads = new HeadWatch(chain.pollIntervalMs);
    if (chain.wsUrl === undefined) return;
    this.heads.listen(
      new HeadSocket({
        url: chain.wsUrl,
        silenceMs: Math.max(limits.webSocketSilenceMs, 3 * chain.pollIntervalMs),
        connectTimeoutMs: limits.requestTimeoutMs,
        backOffBaseMs: limits.backOffBaseMs,
        backOffMaxMs: limits.backOffMaxMs,
        signals,
        onHead: this.heads.announce,
      }),
    );
  }

  async head(): Promise<BlockHeader> {
    const heads = await this.pool.heads();
    const [newest = 0] = heads;
    const reachable = STEPS_BACK.filter((back) => back <= Math.min(newest, this.chain.confirmations));
    // A head that only a liar has is given by nobody else.
    const numbers = new Set([...reachable.map((back) => newest - back), ...heads]);
    let fault: SluiceError | undefined;
    for (const number of numbers) {
      try {
        const [header] = await agreedHeaders(this.pool, [number], { isSettled: false, reaches: number });
        if (header !== undefined) return plainHeader(header);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        fault = error;
      }
    }
    throw fault ?? new SluiceError('chain_unavailable', `Chain ${this.chain.chainId}: block ${newest} cannot be had`);
  }

  async header(number: number): Promise<BlockHeader | undefined> {
    const [header] = await agreedHeaders(this.pool, [number], { isSettled: false });
    return header === undefined ? undefined : plainHeader(header);
  }

  readHistory(from: number, upTo: number): Promise<HistoryRange> {
    return this.history.read(from, upTo);
  }

  readNext(cursor: BlockRef, journaled: readonly BlockHeader[], upTo: number, limit: number): Promise<NextBlocks> {
    return this.live.readNext(cursor, journaled, upTo, limit);
  }

  untilNewHead(signal: AbortSignal): Promise<void> {
    return this.heads.untilNewHead(signal);
  }

  async close(): Promise<void> {
    this.history.close();
    this.pool.close();
    await this.heads.close();
  }
}
