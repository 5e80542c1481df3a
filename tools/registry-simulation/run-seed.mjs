import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom, startFaultyRpc, startLocalChain } from '@sluice/local-chain';
import { Actions } from './actions.mjs';
import { Api } from './api.mjs';
import { compare } from './check.mjs';
import { startFiles } from './files.mjs';
import { modelOf } from './model.mjs';
import { startProcesses, until } from './processes.mjs';
import { ENDPOINTS, scenarioOf, WATCHERS } from './scenario.mjs';

const ACCOUNTS = 11;
const CATCH_UP_TIMEOUT_MS = 40_000;
/** How long a watcher is given to work off what is going to vanish. */
const PATIENCE_MS = 1_000;
const POLL_MS = 30;
const HALT_TIMEOUT_MS = 30_000;
/** How long the projection may need after the watcher has everything. */
const SETTLE_TIMEOUT_MS = 20_000;
const SETTLE_INTERVAL_MS = 250;

/**
 * One seed from its chain to its verdict.
 *
 * @param {{seed: number, databaseUrl: string, log?: (line: string) => void}} options `databaseUrl`: of an empty database
 * @returns {Promise<{seed: number, faults: string[], durationMs: number, counts: object, output?: string[]}>}
 */
export async function runSeed({ seed, databaseUrl, log = () => undefined }) {
  const startedAt = performance.now();
  const endings = [];
  const told = (line) => log(`[${((performance.now() - startedAt) / 1000).toFixed(1)} s] ${line}`);
  const run = new Run(scenarioOf(seed), databaseUrl, told, (end) => endings.push(end));
  let faults;
  try {
    faults = await run.run();
  } catch (error) {
    faults = [error instanceof Error ? error.message : String(error)];
    log(String(error?.stack));
  } finally {
    for (const end of endings.reverse()) await end().catch((error) => log(String(error)));
  }
  const durationMs = Math.round(performance.now() - startedAt);
  return { seed, faults, durationMs, counts: run.counts, ...(faults.length > 0 && { output: run.output() }) };
}

class Run {
  counts = { transactions: 0, blocks: 0, reorgs: 0, kills: 0, halts: 0, agents: 0, events: 0, reverted: 0 };
  #variant = 0;
  #newestVariant = 0;
  #restarts = [];
  #crashes = [];
  #faults;

  constructor(scenario, databaseUrl, log, atEnd) {
    Object.assign(this, { scenario, databaseUrl, log, atEnd });
    // What is decided while it runs: which transactions come back.
    this.random = seededRandom(scenario.seed + 1);
    this.#faults = [...scenario.characters];
  }

  output() {
    return this.processes?.tails() ?? [];
  }

  async run() {
    const { scenario } = this;
    await this.setUp();
    for (const actions of scenario.history) await this.block(actions);
    this.log('history is there');
    await this.startWatching();
    this.log('watching');
    for (const [place, step] of scenario.steps.entries()) {
      this.log(`step ${place}: ${JSON.stringify({ ...step, actions: step.actions?.map(({ type }) => type) })}`);
      await this.step(step);
    }
    return this.verdict();
  }

  async setUp() {
    const { chainId } = this.scenario;
    this.folder = await mkdtemp(join(tmpdir(), 'sluice-simulation-'));
    await chmod(this.folder, 0o755);
    this.atEnd(() => rm(this.folder, { recursive: true, force: true }));
    this.files = await startFiles();
    this.atEnd(() => this.files.stop());
    this.chain = await startLocalChain({ chainId, accounts: ACCOUNTS });
    this.atEnd(() => this.chain.stop());
    this.registries = await this.chain.deployRegistries();
    await this.chain.setAutomine(false);
    this.actions = new Actions(this.chain, this.registries, this.files);
    this.endpoints = [];
    for (let place = 0; place < ENDPOINTS; place++) {
      const seed = this.scenario.seed * 10 + place;
      const faults = this.#faults[place];
      const endpoint = await startFaultyRpc({ target: this.chain.rpcUrl, seed, faults });
      this.atEnd(() => endpoint.stop());
      this.endpoints.push(endpoint);
    }
  }

  async startWatching() {
    const { chainId, confirmations, delivery, maxBlockRange } = this.scenario;
    const rpcUrls = this.endpoints.map(({ url }) => url);
    const entry = { rpcUrls, confirmations, delivery, maxBlockRange, pollIntervalMs: 50 };
    const chainsFile = join(this.folder, 'chains.json');
    await writeFile(chainsFile, JSON.stringify([this.registries.chainConfig(entry)]));
    this.processes = await startProcesses({
      folder: this.folder,
      databaseUrl: this.databaseUrl,
      chainsFile,
      allowPrivateUrls: this.files.origin,
      watchers: WATCHERS,
    });
    this.atEnd(() => this.processes.stop());
    this.atEnd(() => Promise.allSettled(this.#restarts));
    this.api = new Api(this.processes.baseUrl, this.processes.operatorKey);
    this.chainId = chainId;
  }

  async step(step) {
    switch (step.type) {
      case 'block':
        await this.block(step.actions);
        break;
      case 'empty':
        await this.chain.mine(step.blocks);
        this.counts.blocks += step.blocks;
        break;
      case 'reorg':
        await this.reorg(step);
        break;
      case 'comeBack':
        await this.comeBack(step);
        break;
      case 'faults':
        this.#faults[step.endpoint] = step.faults;
        this.restoreFaults();
        break;
      case 'kill':
        this.counts.kills++;
        this.crash(this.processes.watchers[step.watcher]);
        break;
      case 'catchUp':
        await this.catchUp();
        this.restoreFaults();
        break;
      case 'deepReorg':
        await this.deepReorg(step);
        this.restoreFaults();
        break;
      default:
        throw new Error(`there is no step ${step.type}`);
    }
    await pause(step.waitMs ?? 0);
  }

  /** It comes back while other things happen. */
  crash(watcher) {
    const restart = watcher.crash().catch((error) => this.#crashes.push(error.message));
    this.#restarts.push(restart);
  }

  /** What fails on the chain is no transaction of interest: it is mined and logs nothing. */
  async block(actions) {
    await this.actions.look();
    for (const action of actions) {
      const call = this.actions.callOf(action);
      if (call === undefined) continue;
      await this.registries.send(call);
      this.counts.transactions++;
    }
    await this.chain.mine();
    this.counts.blocks++;
  }

  async depthWithin(depth) {
    const { number } = await this.chain.head();
    return Math.min(depth, number - this.registries.contractsAt);
  }

  /** Some transactions come back, some of them a block later; then other ones. */
  async reorg({ depth: wanted, keptShare, shift, isAwaited, actions }) {
    const depth = await this.depthWithin(wanted);
    if (depth < 1) return;
    if (isAwaited) await this.giveTime();
    const before = await this.chain.transactionsOf(depth);
    const kept = before.filter(() => this.random() < keptShare);
    const moved = kept.map(({ block, transaction }) => ({ block: Math.min(block + shift, depth - 1), transaction }));
    this.#variant = ++this.#newestVariant;
    await this.chain.reorg(depth, moved, this.#variant);
    this.counts.reorgs++;
    await this.block(actions);
  }

  /** Until the head is worked off, if it can be with the faults that there are. */
  async giveTime() {
    const { hash } = await this.chain.head();
    const isThere = async () => (await this.api.chain(this.chainId))?.block?.hash === hash;
    for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await pause(POLL_MS)) {
      if (await isThere()) return;
    }
  }

  /** Blocks vanish and then are back as they were. */
  async comeBack({ actions, waitMs }) {
    await this.block(actions);
    await this.giveTime();
    const transactions = await this.chain.transactionsOf(1);
    const variant = this.#variant;
    await pause(waitMs);
    await this.chain.reorg(1, [], ++this.#newestVariant);
    await pause(waitMs);
    await this.chain.reorg(1, transactions, variant);
    this.counts.reorgs += 2;
  }

  async deepReorg({ depth: wanted, keptShare }) {
    const depth = await this.depthWithin(wanted);
    if (depth <= this.scenario.confirmations) return;
    await this.catchUp();
    await this.reorg({ depth, keptShare, shift: 0, actions: [] });
    const isHalted = async () => (await this.api.chain(this.chainId))?.state === 'halted';
    await until(isHalted, 'a reorganisation beyond finality halts the chain', HALT_TIMEOUT_MS);
    await this.api.acceptReorg(this.chainId);
    await until(async () => !(await isHalted()), 'an operator ends the halt', HALT_TIMEOUT_MS);
    this.counts.halts++;
  }

  restoreFaults() {
    for (const [place, endpoint] of this.endpoints.entries()) endpoint.setFaults(this.#faults[place]);
  }

  /** Without faults, until the watcher has worked off what there is. */
  async catchUp() {
    for (const endpoint of this.endpoints) endpoint.setFaults({});
    const { confirmations, delivery } = this.scenario;
    const { number } = await this.chain.head();
    const target = delivery === 'confirmed' ? number - confirmations : number;
    if (target < this.registries.deployedAt) return;
    const { hash } = await this.chain.block(target);
    const isThere = async () => {
      const status = await this.api.chain(this.chainId);
      return status?.block?.hash === hash;
    };
    await until(isThere, `block ${target} is worked off`, CATCH_UP_TIMEOUT_MS);
  }

  async verdict() {
    await this.chain.mine(this.scenario.confirmations + 1);
    this.log('steps are done');
    await this.catchUp();
    this.log('caught up');
    const history = await this.registries.history();
    const model = modelOf(history, this.scenario.chainId, this.files.read);
    const feedback = await this.registries.feedback();
    const onChain = (await this.registries.agents()).map((agent) => ({
      ...agent,
      feedback: feedback.filter(({ agentId }) => agentId === agent.agentId),
    }));
    this.log('the truth is read');
    let faults;
    for (const deadline = performance.now() + SETTLE_TIMEOUT_MS; ; await pause(SETTLE_INTERVAL_MS)) {
      const seen = await this.see();
      faults = compare(model, onChain, seen);
      this.counts.agents = seen.agents.length;
      this.counts.events = seen.stream.length;
      this.counts.reverted = seen.stream.filter(({ type }) => type.endsWith('_reverted')).length;
      this.log(`${faults.length} faults`);
      if (faults.length === 0 || performance.now() > deadline) return [...this.#crashes, ...faults];
    }
  }

  async see() {
    const agents = await this.api.agents(this.chainId);
    const feedback = new Map();
    for (const { agentId, tokenId } of agents) feedback.set(tokenId, await this.api.feedback(agentId));
    return { agents, feedback, stream: await this.api.stream() };
  }
}
