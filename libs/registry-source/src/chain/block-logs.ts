import type { RegistrySourceLimits } from '../limits';
import { BloomCheck } from '../logs/bloom';
import { matches, type LogFilter } from '../logs/log-filter';
import { compareLogs, type RawLog } from '../logs/raw-log';
import type { Endpoint } from '../rpc/endpoint';
import { bytesOf, ensureRoom } from '../rpc/log-bytes';
import { blockLogsQuery, headerQuery } from '../rpc/queries';
import { readRangeLogs, type RangeLogs } from '../rpc/range-logs';
import { readReceiptLogs } from '../rpc/receipt-logs';
import { isTooMuch, RpcFailure, toRpcFailure } from '../rpc/rpc-failure';
import { invalid, type RpcHeader } from '../rpc/shapes';
import type { RegistrySourceSignals } from '../signals';

/** So many promises in a row that were not kept: the filters of this chain mean nothing. */
const MAX_FALSE_POSITIVES = 64;

export interface BlockLogsOptions {
  readonly filters: readonly LogFilter[];
  readonly limits: RegistrySourceLimits;
  readonly signals: RegistrySourceSignals;
  /** One endpoint is believed: the bloom filters of headers tell whether it left something out. */
  readonly checksBlooms: boolean;
}

type GivenLogs = Pick<RangeLogs, 'logs' | 'usedReceipts'>;

/** The logs of single blocks by their hashes: an endpoint without a block cannot take another one, or nothing, for it. */
export class BlockLogsReader {
  private readonly checks: readonly BloomCheck[];
  private falsePositives = 0;

  constructor(private readonly options: BlockLogsOptions) {
    this.checks = options.filters.map((filter) => new BloomCheck(filter));
  }

  /** In the order of the chain; the headers are linked. @throws RpcFailure */
  async read(endpoint: Endpoint, headers: readonly RpcHeader[], signal: AbortSignal): Promise<readonly RawLog[]> {
    const { filters } = this.options;
    const asked = headers.flatMap((header) => filters.map((filter, place) => ({ header, filter, place })));
    const answers = await endpoint.each(
      asked.map(({ header, filter }) => blockLogsQuery(filter, header.hash)),
      signal,
    );
    const logs: RawLog[] = [];
    let bytes = 0;
    for (const [at, { header, filter, place }] of asked.entries()) {
      const answer = answers[at];
      if (answer === undefined) throw invalid('complete');
      const given =
        answer instanceof RpcFailure
          ? await this.readInParts(endpoint, header, filter, answer, signal)
          : { logs: answer.value, usedReceipts: false };
      for (const log of given.logs) {
        if (log.blockHash !== header.hash || log.blockNumber !== header.number || !matches(filter, log)) {
          throw invalid('of the block that was asked for');
        }
      }
      const complete = await this.complete(endpoint, header, filter, place, given, signal);
      for (const log of complete) logs.push(log);
      bytes += bytesOf(complete);
      ensureRoom(bytes, this.options.limits.maxLogBytes);
    }
    await this.ensureStillThere(endpoint, headers, signal);
    logs.sort(compareLogs);
    if (logs.some((log, at) => at > 0 && compareLogs(log, logs[at - 1] ?? log) === 0))
      throw invalid('free of doubled logs');
    return logs;
  }

  /** A block with too many logs for one answer. */
  private async readInParts(
    endpoint: Endpoint,
    { number, hash }: RpcHeader,
    filter: LogFilter,
    failure: RpcFailure,
    signal: AbortSignal,
  ): Promise<GivenLogs> {
    if (!isTooMuch(failure)) throw failure;
    return readRangeLogs(endpoint, { from: number, to: number, filter, blockHash: hash }, this.options, signal);
  }

  /** Some endpoints answer with no logs for a block that they no longer have; so it has to be there afterwards, too. */
  private async ensureStillThere(
    endpoint: Endpoint,
    headers: readonly RpcHeader[],
    signal: AbortSignal,
  ): Promise<void> {
    const last = headers.at(-1);
    if (last === undefined) return;
    const now = await endpoint.call(headerQuery(last.number), signal);
    if (now?.hash !== last.hash) throw new RpcFailure('refused', `block ${last.number} changed while it was read`);
  }

  /** What is missing by the bloom filter is asked for in the other way: of receipts, or where these were read, of logs. */
  private async complete(
    endpoint: Endpoint,
    header: RpcHeader,
    filter: LogFilter,
    place: number,
    { logs: given, usedReceipts }: GivenLogs,
    signal: AbortSignal,
  ): Promise<readonly RawLog[]> {
    const { checksBlooms, signals, limits } = this.options;
    if (!checksBlooms || header.logsBloom === undefined || this.falsePositives >= MAX_FALSE_POSITIVES) return given;
    const topics = this.checks[place]?.missing(header.logsBloom, given) ?? [];
    if (topics.length === 0) return given;
    let all: readonly RawLog[];
    try {
      all = usedReceipts
        ? [...given, ...(await endpoint.call(blockLogsQuery({ ...filter, topics }, header.hash), signal))]
        : await readReceiptLogs(endpoint, header, filter, limits, signal);
    } catch (error) {
      const failure = toRpcFailure(error);
      // Too many receipts prove nothing; too many logs of what receipts did not have prove them wrong.
      const isOpen = failure.kind === 'refused' || (!usedReceipts && isTooMuch(failure));
      if (!isOpen) throw failure;
      signals.bloomMismatch({ endpoint: endpoint.label, verdict: 'unproven' });
      return given;
    }
    const wanted = all.filter((log) => log.blockHash === header.hash && matches(filter, log));
    if (wanted.length <= given.length) {
      this.falsePositives += 1;
      signals.bloomMismatch({ endpoint: endpoint.label, verdict: 'false_positive' });
      return given;
    }
    this.falsePositives = 0;
    signals.bloomMismatch({ endpoint: endpoint.label, verdict: 'omission' });
    return wanted;
  }
}
