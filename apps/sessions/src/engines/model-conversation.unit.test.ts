import * as fc from 'fast-check';
import type { ModelBlock, ModelMessage } from './conversation-writer';
import { toConversation } from './model-conversation';
import type { HistoryEvent } from './run-history';

/** What happens in a run, beside what it begins with. */
const STEPS = [
  'message',
  'tool',
  'custom tool',
  'asked tool',
  'denied tool',
  'trouble',
  'queued',
  'queued note',
] as const;
type Step = (typeof STEPS)[number];

interface Run {
  readonly inputs: readonly ('message' | 'outcome' | 'note')[];
  readonly steps: readonly Step[];
}

const text = (value: string) => [{ type: 'text', text: value }];

/** The history of a session whose last run is to go on, as it is recorded. */
class Story {
  readonly events: HistoryEvent[] = [];
  private queued: HistoryEvent[] = [];
  /** Of the last run. */
  inputs: readonly HistoryEvent[] = [];

  constructor(runs: readonly Run[]) {
    for (const [n, { inputs, steps }] of runs.entries()) {
      this.send('message', `begins ${n}`);
      for (const input of inputs) this.send(input, `${input} of ${n}`);
      this.begin();
      for (const [k, step] of steps.entries()) this.take(step, `${n}.${k}`);
      const isLast = n === runs.length - 1;
      if (isLast) continue;
      this.add('agent.message', { content: text(`end of ${n}`) });
      this.add('session.status_idle', { stop_reason: { type: 'end_turn' } });
      if (this.queued.length > 0) {
        // What was sent meanwhile begins a run of its own.
        this.begin();
        this.add('agent.message', { content: text(`what was queued in ${n}`) });
        this.add('session.status_idle', { stop_reason: { type: 'end_turn' } });
      }
    }
  }

  private add(type: string, fields: object = {}): HistoryEvent {
    const event = { type, id: `sevt_${this.events.length}`, ...fields };
    this.events.push(event);
    return event;
  }

  private send(kind: Run['inputs'][number], what: string): void {
    if (kind === 'message') this.queued.push(this.add('user.message', { content: text(what) }));
    else if (kind === 'note') this.queued.push(this.add('system.message', { content: text(what) }));
    else this.queued.push(this.add('user.define_outcome', { description: what, rubric: {} }));
  }

  private begin(): void {
    this.inputs = this.queued;
    this.queued = [];
    this.add('session.status_running');
  }

  private take(step: Step, what: string): void {
    const ask = (ids: readonly unknown[]) =>
      this.add('session.status_idle', { stop_reason: { type: 'requires_action', event_ids: ids } });
    const use = (type: string, fields: object = {}) => this.add(type, { name: what, input: {}, ...fields });
    if (step === 'message') this.add('agent.message', { content: text(what) });
    else if (step === 'tool') {
      const uses = [use('agent.tool_use'), use('agent.tool_use')];
      for (const { id } of uses) this.add('agent.tool_result', { tool_use_id: id, content: text('result') });
    } else if (step === 'custom tool') {
      const uses = [use('agent.custom_tool_use'), use('agent.custom_tool_use')];
      ask(uses.map(({ id }) => id));
      this.add('user.custom_tool_result', { custom_tool_use_id: uses[1]?.id, content: text('second') });
      ask([uses[0]?.id]);
      this.add('user.custom_tool_result', { custom_tool_use_id: uses[0]?.id, content: text('first') });
      this.add('session.status_running');
    } else if (step === 'asked tool' || step === 'denied tool') {
      const { id } = use('agent.tool_use', { evaluated_permission: 'ask' });
      ask([id]);
      const result = step === 'asked tool' ? 'allow' : 'deny';
      this.add('user.tool_confirmation', { tool_use_id: id, result });
      this.add('system.message', { content: text('goes with the answer') });
      this.add('session.status_running');
      if (result === 'deny') return;
      ask([id]);
      this.add('user.tool_result', { tool_use_id: id, content: text('result') });
      this.add('session.status_running');
    } else if (step === 'trouble') {
      this.add('session.status_rescheduled');
      this.add('session.status_running');
    } else this.send(step === 'queued' ? 'message' : 'note', what);
  }
}

const run = fc.record({
  inputs: fc.array(fc.constantFrom('message' as const, 'outcome' as const, 'note' as const), { maxLength: 2 }),
  steps: fc.array(fc.constantFrom(...STEPS), { maxLength: 5 }),
});

const isResult = ({ type }: ModelBlock) => type === 'tool_result';

/** Why an endpoint would refuse it. */
function faultsOf(messages: readonly ModelMessage[]): readonly string[] {
  const faults = messages[0]?.role === 'user' ? [] : ['no turn of the user comes first'];
  for (const [n, { role, content }] of messages.entries()) {
    const before = messages[n - 1];
    if (content.length === 0 || role === before?.role) faults.push(`${n} is no turn`);
    const results = content.filter(isResult);
    if (!content.slice(0, results.length).every(isResult)) faults.push(`${n} has results behind others`);
    const uses = role === 'user' ? (before?.content ?? []).filter(({ type }) => type === 'tool_use') : [];
    const [asked, given] = [uses.map(({ id }) => id), results.map(({ tool_use_id: id }) => id)];
    if (asked.sort().join() !== given.sort().join()) faults.push(`${n} has results of other calls`);
  }
  return faults;
}

const textOf = ({ content }: HistoryEvent) => (content as readonly { readonly text: string }[])[0]?.text;

/** Whether something of it was said, in a turn of the user. */
const says = (messages: readonly ModelMessage[], what: unknown) =>
  messages.some(({ role, content }) => role === 'user' && JSON.stringify(content).includes(JSON.stringify(what)));

describe('toConversation', () => {
  it('gives what an endpoint accepts of any end of a history, with what its run is to answer', () => {
    const check = fc.property(
      fc.array(run, { minLength: 1, maxLength: 4 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.boolean(),
      (runs, share, isToldInputs) => {
        const { events, inputs } = new Story(runs);
        const kept = events.slice(Math.floor(share * events.length));
        const { messages, openCalls } = toConversation(kept, isToldInputs ? inputs : []);
        const faults = messages.length > 0 || isToldInputs ? faultsOf(messages) : [];
        expect([faults, openCalls]).toEqual([[], []]);
        const told = inputs.filter(({ type }) => type === 'user.message');
        expect(told.map(textOf).filter((each) => isToldInputs && !says(messages, each))).toEqual([]);
      },
    );
    fc.assert(check, { numRuns: 500 });
  });

  it('keeps what a run has done whose beginning is not there, after what it was told', () => {
    const told = [{ type: 'user.message', id: 'm', content: text('Begin') }];
    const kept = [
      { type: 'agent.tool_result', id: 'r0', tool_use_id: 'gone', content: text('of a call that is gone') },
      { type: 'agent.tool_use', id: 't1', name: 'one', input: {} },
      { type: 'agent.tool_result', id: 'r1', tool_use_id: 't1', content: text('one') },
    ];
    const work = [
      { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'one', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: text('one') }] },
    ];
    expect(toConversation(kept, told).messages).toEqual([{ role: 'user', content: text('Begin') }, ...work]);
    const answers = [{ type: 'user.tool_confirmation', id: 'c', tool_use_id: 't1', result: 'allow' }];
    expect(toConversation(kept, answers).messages).toEqual([
      { role: 'user', content: text('[What was said before is not kept.]') },
      ...work,
    ]);
  });

  it('begins with what was sent while a run went on whose beginning is not there', () => {
    const sent = { type: 'user.message', id: 'm', content: text('Next') };
    const kept = [
      { type: 'agent.message', id: 'a', content: text('one') },
      sent,
      { type: 'agent.message', id: 'b', content: text('two') },
      { type: 'session.status_idle', id: 'i', stop_reason: { type: 'end_turn' } },
      { type: 'session.status_running', id: 'r' },
    ];
    expect(toConversation(kept, [sent]).messages).toEqual([{ role: 'user', content: text('Next') }]);
  });

  it('is what the run was told where nothing else is left', () => {
    const told = [{ type: 'user.message', id: 'm', content: text('Begin') }];
    expect(toConversation([], told).messages).toEqual([{ role: 'user', content: text('Begin') }]);
  });
});
