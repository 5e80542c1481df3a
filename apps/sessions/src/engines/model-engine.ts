import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { EnvironmentType, SessionDeltas, SessionEventInput, SessionStore } from '@sluice/agent-sessions';
import { executionId, type OpenCall } from './conversation-writer';
import { EngineFailed, type Engine, type EngineTask } from './engine';
import { toConversation, type Conversation } from './model-conversation';
import { ModelFailed } from './model-answer';
import type { ModelEndpoint, ModelRequest } from './model-endpoint';
import { ModelPreview } from './model-preview';
import { modelTools, type ModelTool } from './model-tools';
import { failedTurn, goesOnAfter, limitReached, turnOf } from './model-turn';
import { RunHistory, type HistoryEvent, type RunHistoryPorts } from './run-history';

export interface ModelEngineOptions {
  /** Most tokens of one answer. */
  readonly maxTokens: number;
  /** Before each request that repeats one that failed: so many repetitions there are. */
  readonly retryDelaysMs: readonly number[];
  /** Longest delay that an endpoint can wish for. */
  readonly maxRetryDelayMs: number;
  /** Most requests of one run, repetitions included. */
  readonly maxRequests: number;
}

export const DEFAULT_MODEL_ENGINE_OPTIONS: ModelEngineOptions = {
  maxTokens: 8_192,
  retryDelaysMs: [1_000, 4_000, 10_000],
  maxRetryDelayMs: 60_000,
  maxRequests: 100,
};

export interface ModelEnginePorts extends RunHistoryPorts {
  readonly store: Pick<SessionStore, 'load'>;
  readonly endpoint: Pick<ModelEndpoint, 'ask'>;
  readonly deltas: Pick<SessionDeltas, 'publish'>;
}

/** What the id of a request's span has behind that of its run. */
const REQUEST_SPAN = /^_(\d+)(?:_end)?$/;

/** Where a run stands, as its recorded events tell. */
interface Progress {
  /** Of requests that began. */
  readonly started: number;
  readonly ended: number;
  /** How many of the last ones failed. */
  readonly failures: number;
  readonly isRescheduled: boolean;
}

/**
 * Works by asking a model, again and again until its turn ends. It keeps nothing: where a run stands is read of its recorded
 * events, and what it reports is named after the run and the number of the request. So whoever takes a run over goes on
 * where it was left, and nothing is reported twice.
 */
export class ModelEngine implements Engine {
  constructor(
    private readonly ports: ModelEnginePorts,
    private readonly options: ModelEngineOptions = DEFAULT_MODEL_ENGINE_OPTIONS,
  ) {}

  async handle(task: EngineTask): Promise<void> {
    const { type, run_id: runId } = task.call;
    // Who works on a run that is over learns it by the signal of its task.
    if ((type !== 'run.start' && type !== 'run.input') || runId === null) return;
    task.detach();
    await new ModelRun(this.ports, this.options, task, runId).goOn();
  }
}

class ModelRun {
  private readonly history: RunHistory;
  private tools: ReadonlyMap<string, ModelTool> = new Map();

  constructor(
    private readonly ports: ModelEnginePorts,
    private readonly options: ModelEngineOptions,
    private readonly task: EngineTask,
    private readonly runId: string,
  ) {
    const { workspaceId, call } = task;
    this.history = new RunHistory(ports, { workspaceId, sessionId: call.session_id });
  }

  /** Asks until the run waits for the user, or is over. */
  async goOn(): Promise<void> {
    this.tools = modelTools(this.task.call.agent['tools'], await this.environmentType());
    for (let goesOn = true; goesOn;) {
      this.task.signal.throwIfAborted();
      const history = await this.history.read();
      const conversation = toConversation(history, this.task.call.input_events);
      const { openCalls } = conversation;
      goesOn = openCalls.length > 0 ? await this.startCalls(openCalls) : await this.ask(conversation, history);
    }
  }

  /** Asks the user's side to run what was allowed, once every call has its answer. */
  private async startCalls(calls: readonly OpenCall[]): Promise<false> {
    if (calls.some(({ waitsFor }) => waitsFor !== 'start')) return false;
    // Where the user's side runs tools by itself, it runs what it has allowed.
    const isRunOutside = (await this.environmentType()) === 'self_hosted';
    const uses = calls.map(({ id, name, input }) => ({
      type: 'agent.custom_tool_use',
      id: executionId(id),
      name,
      input,
    }));
    const ids = isRunOutside ? calls.map(({ id }) => id) : uses.map(({ id }) => id);
    const idle = { type: 'session.status_idle', stop_reason: { type: 'requires_action', event_ids: ids } };
    const name = createHash('sha256').update(ids.join()).digest('base64url');
    await this.task.report(`start/${name}`, isRunOutside ? [idle] : [...uses, idle]);
    return false;
  }

  private async ask(conversation: Conversation, history: readonly HistoryEvent[]): Promise<boolean> {
    const { maxRequests, retryDelaysMs } = this.options;
    const progress = this.progressOf(history);
    const isBegun = progress.started > progress.ended;
    const number = isBegun ? progress.started - 1 : progress.started;
    if (number >= maxRequests) {
      await this.task.report('limit', limitReached(maxRequests));
      return false;
    }
    const requestId = `${this.runId}_${number}`;
    if (!isBegun) {
      const again: SessionEventInput[] = progress.isRescheduled ? [{ type: 'session.status_running' }] : [];
      await this.task.report(`${number}`, [...again, { type: 'span.model_request_start', id: requestId }]);
    }
    const answer = await this.answerTo(conversation, requestId);
    const delayMs = retryDelaysMs[progress.failures];
    const isFailed = answer instanceof ModelFailed;
    const { events, usage } = isFailed
      ? failedTurn(requestId, answer, delayMs !== undefined)
      : turnOf(requestId, answer, this.tools);
    // What is stored counts: somebody who had this run before may have reported this request.
    const goesOn = goesOnAfter(await this.task.report(`${number}/end`, events, usage));
    if (goesOn && isFailed) await this.waitFor(Math.max(delayMs ?? 0, answer.retryAfterMs ?? 0));
    return goesOn;
  }

  private async answerTo(conversation: Conversation, requestId: string) {
    if (conversation.messages.at(-1)?.role !== 'user') throw new EngineFailed('There is nothing to answer');
    try {
      return await this.ports.endpoint.ask(this.requestOf(conversation), this.task.signal, this.previewOf(requestId));
    } catch (error) {
      if (error instanceof ModelFailed) return error;
      throw error;
    }
  }

  private previewOf(requestId: string): ModelPreview {
    const { workspaceId, call, signal } = this.task;
    const scope = { workspaceId, sessionId: call.session_id };
    return new ModelPreview(requestId, (deltas) => {
      // Of a run that is another's, or over, there is nothing more to show.
      if (!signal.aborted) this.ports.deltas.publish(scope, deltas);
    });
  }

  private requestOf({ system, messages }: Conversation): ModelRequest {
    const { agent } = this.task.call;
    const { id: model } = agent['model'] as { readonly id: string };
    const instructions = [agent['system'], ...system].filter((text) => typeof text === 'string' && text !== '');
    const tools = [...this.tools.values()].map(({ definition }) => definition);
    return {
      model,
      max_tokens: this.options.maxTokens,
      messages,
      ...(instructions.length > 0 && { system: instructions.map((text) => ({ type: 'text', text })) }),
      ...(tools.length > 0 && { tools }),
    };
  }

  private async waitFor(durationMs: number): Promise<void> {
    await pause(Math.min(durationMs, this.options.maxRetryDelayMs), undefined, { signal: this.task.signal });
  }

  private async environmentType(): Promise<EnvironmentType> {
    const { workspaceId, call } = this.task;
    return (await this.ports.store.load(workspaceId, call.session_id))?.state.environmentType ?? 'cloud';
  }

  private progressOf(events: readonly HistoryEvent[]): Progress {
    const progress = { started: 0, ended: 0, failures: 0, isRescheduled: false };
    for (const event of events) {
      const id = String(event['id']);
      if (event['type'] === 'session.status_rescheduled') progress.isRescheduled = true;
      if (event['type'] === 'session.status_running') progress.isRescheduled = false;
      // By their numbers: of a long run the first ones may not be kept any more.
      const [, number] = id.startsWith(this.runId) ? (REQUEST_SPAN.exec(id.slice(this.runId.length)) ?? []) : [];
      if (number === undefined) continue;
      progress.started = Math.max(progress.started, Number(number) + 1);
      if (event['type'] === 'span.model_request_end') {
        progress.ended = progress.started;
        progress.failures = event['is_error'] === true ? progress.failures + 1 : 0;
      }
    }
    return progress;
  }
}
