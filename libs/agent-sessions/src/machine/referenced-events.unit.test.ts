import { confirmation, customResult, idle, message, says, uses, waitsFor } from '../../test/session-world';
import { referencedEventIds } from './referenced-events';

describe('referencedEventIds', () => {
  it('names each id once: those that are chosen, answered and waited for', () => {
    const events = [
      uses('a'),
      says(),
      message(),
      waitsFor('a', 'b'),
      customResult('c'),
      confirmation('d'),
      idle('end_turn'),
    ];
    expect(referencedEventIds(events)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('takes what is no id for none', () => {
    const odd = [
      { type: 'session.status_idle', stop_reason: { type: 'requires_action', event_ids: 'a' } },
      { type: 'session.status_idle', stop_reason: null },
      { type: 'session.status_idle', stop_reason: { type: 'requires_action', event_ids: [1, null] } },
      { type: 'agent.message', id: 5 },
    ];
    expect(referencedEventIds(odd)).toEqual([]);
  });
});
