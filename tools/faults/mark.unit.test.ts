import { markIn, markText } from './mark';

describe('marks', () => {
  it('are found in an event of any door', () => {
    const text = markText({ entity: 'sandbox-1', n: 42 });
    expect(markIn(JSON.stringify({ type: 'custom.event', data: { text } }))).toEqual({ entity: 'sandbox-1', n: 42 });
    expect(markIn(JSON.stringify({ type: 'SessionMessage', content: text }))).toEqual({ entity: 'sandbox-1', n: 42 });
  });

  it('are not found where an agent repeats them, nor in other events', () => {
    const content = [{ type: 'text', text: markText({ entity: 'session-1', n: 7 }) }];
    expect(markIn(JSON.stringify({ type: 'user.message', content }))).toEqual({ entity: 'session-1', n: 7 });
    expect(markIn(JSON.stringify({ type: 'agent.message', content }))).toBeUndefined();
    expect(markIn(JSON.stringify({ type: 'session.agent.message', data: { content } }))).toBeUndefined();
    expect(markIn('{"type":"custom.event","data":{}}')).toBeUndefined();
  });
});
