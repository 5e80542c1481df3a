import type { HistoryEvent } from './run-history';
import { toModelContent, toText } from './model-content';

export type ModelBlock = Readonly<Record<string, unknown>> & { readonly type: string };

export interface ModelMessage {
  readonly role: 'user' | 'assistant';
  readonly content: readonly ModelBlock[];
}

/** A tool use without a result. */
export interface OpenCall {
  /** Of the event that reported it. */
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
  /** `confirmation` before the user has allowed it; `start` when it is allowed and nobody was asked to run it. */
  readonly waitsFor: 'confirmation' | 'start' | 'result';
}

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: ModelBlock[];
}

/** The end of the id of a tool use that runs what an earlier one asked for. */
const EXECUTION = '_x';

/** The id of the tool use by which a call is run that had to be allowed first. */
export function executionId(callId: string): string {
  return callId + EXECUTION;
}

const DENIED = 'The user denied this call.';
const NO_RESULT = 'There is no result: the turn was ended before.';

/**
 * Writes a conversation event by event, in the order and the form that the Messages API requires. It begins with what the user
 * says: what a model did before, and the results of it, are left out.
 */
export class ConversationWriter {
  private readonly system: string[] = [];
  private readonly turns: Turn[] = [];
  /** Without a result, by the id of their event. */
  private readonly open = new Map<string, OpenCall>();

  /** Whether the user has said anything. */
  get isBegun(): boolean {
    return this.turns.length > 0;
  }

  /** What begins a run, or goes with an answer. */
  input(event: HistoryEvent): void {
    if (event['type'] === 'system.message') this.system.push(toText(event['content']));
    else if (event['type'] === 'user.define_outcome') this.add('user', [{ type: 'text', text: outcomeText(event) }]);
    else this.add('user', toModelContent(event['content']));
  }

  /** What a run does, and what answers it. */
  work(event: HistoryEvent): void {
    const id = String(event['id']);
    switch (event['type']) {
      case 'agent.message':
        return this.add('assistant', toModelContent(event['content']));
      case 'agent.tool_use':
        return this.use(event, event['evaluated_permission'] === 'ask' ? 'confirmation' : 'result');
      case 'agent.custom_tool_use': {
        const asked = this.open.get(callOf(id));
        if (asked && asked.id !== id) this.open.set(asked.id, { ...asked, waitsFor: 'result' });
        else this.use(event, 'result');
        return;
      }
      case 'agent.tool_result':
      case 'user.tool_result':
        return this.result(String(event['tool_use_id']), event);
      case 'user.custom_tool_result':
        return this.result(String(event['custom_tool_use_id']), event);
      case 'user.tool_confirmation':
        return this.confirm(event);
      case 'session.status_idle':
        return this.ask(event['stop_reason']);
      default:
        return;
    }
  }

  end(): { system: readonly string[]; messages: readonly ModelMessage[]; openCalls: readonly OpenCall[] } {
    return { system: this.system, messages: this.turns, openCalls: [...this.open.values()] };
  }

  private use(event: HistoryEvent, waitsFor: OpenCall['waitsFor']): void {
    if (!this.isBegun) return;
    const call: OpenCall = { id: String(event['id']), name: String(event['name']), input: event['input'], waitsFor };
    this.add('assistant', [{ type: 'tool_use', id: toModelId(call.id), name: call.name, input: call.input }]);
    this.open.set(call.id, call);
  }

  private confirm(event: HistoryEvent): void {
    const call = this.open.get(String(event['tool_use_id']));
    if (!call) return;
    if (event['result'] === 'allow') {
      this.open.set(call.id, { ...call, waitsFor: 'start' });
      return;
    }
    const why = event['deny_message'];
    const text = typeof why === 'string' && why !== '' ? `${DENIED} ${why}` : DENIED;
    this.result(call.id, { content: [{ type: 'text', text }], is_error: true });
  }

  /** A run that waits for a call that is allowed already has asked for it to be run. */
  private ask(reason: unknown): void {
    const { event_ids: ids } = (reason ?? {}) as { event_ids?: unknown };
    for (const id of Array.isArray(ids) ? ids : []) {
      const call = this.open.get(String(id));
      if (call?.waitsFor === 'start') this.open.set(call.id, { ...call, waitsFor: 'result' });
    }
  }

  private result(toolUseId: string, { content, is_error: isError }: HistoryEvent): void {
    const id = this.open.has(toolUseId) ? toolUseId : callOf(toolUseId);
    if (!this.open.delete(id)) return;
    const blocks = toModelContent(content);
    const result: ModelBlock = {
      type: 'tool_result',
      tool_use_id: toModelId(id),
      ...(blocks.length > 0 && { content: blocks }),
      ...(isError === true && { is_error: true }),
    };
    // Results come first in their turn, whatever was said before them.
    const last = this.turns.at(-1);
    if (last?.role === 'user') last.content.splice(last.content.filter(isResult).length, 0, result);
    else this.turns.push({ role: 'user', content: [result] });
  }

  private add(role: Turn['role'], blocks: readonly ModelBlock[]): void {
    if (blocks.length === 0 || (role === 'assistant' && !this.isBegun)) return;
    const isNextTurn = this.turns.at(-1)?.role !== role;
    // What goes on although calls are open is another run: theirs was ended before they had results.
    if (role === 'user' || isNextTurn) this.closeCalls();
    const last = this.turns.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else this.turns.push({ role, content: [...blocks] });
  }

  private closeCalls(): void {
    for (const id of [...this.open.keys()]) {
      this.result(id, { content: [{ type: 'text', text: NO_RESULT }], is_error: true });
    }
  }
}

/** Ids of other engines may have characters that a model does not take. */
function toModelId(id: string): string {
  return id.replaceAll(/[^\w-]/g, '_');
}

function callOf(executionOrCallId: string): string {
  return executionOrCallId.endsWith(EXECUTION) ? executionOrCallId.slice(0, -EXECUTION.length) : executionOrCallId;
}

function isResult({ type }: ModelBlock): boolean {
  return type === 'tool_result';
}

function outcomeText({ description, rubric }: HistoryEvent): string {
  const { content } = (rubric ?? {}) as { content?: unknown };
  // A file that could not be given: it is not there any more, or later ones took the room.
  const judge = typeof content === 'string' ? content : '[a file that cannot be given]';
  return `Work towards this outcome:\n${String(description)}\n\nIt is judged by this:\n${judge}`;
}
