import { toEpoch, toPosition } from '@sluice/event-log';
import { changedEndpoint, skippedHead } from './changed-endpoint';
import type { EndpointState } from './webhook-endpoint';

const placeOf = (position: number) => ({ epoch: toEpoch('0000abcd'), position: toPosition(position) });
const subject = { id: 'e6', type: 'agent.message', workspaceId: 1, family: 'session', entityId: 'sesn_1' } as const;
const head = { subject, position: toPosition(6), attempts: 4, nextAttemptAt: 90_000, status: 500 };
const state: EndpointState = {
  endpoint: {
    endpointId: 'whk_1',
    workspaceId: 1,
    url: 'https://hooks.example.com',
    description: '',
    filter: {},
    secrets: { current: 'sealed' },
    createdAt: 1,
    updatedAt: 1,
    version: 3,
  },
  progress: { place: placeOf(5), head, failingSince: 7, failedAt: 8 },
  progressVersion: 4,
};

describe('changedEndpoint', () => {
  it('leaves the next event waiting where nothing of it changed', () => {
    const { endpoint, progress, progressVersion } = changedEndpoint(state, { description: 'other', updatedAt: 9 });
    expect(endpoint).toEqual({ ...state.endpoint, description: 'other', updatedAt: 9, version: 4 });
    expect({ progress, progressVersion }).toEqual({ progress: state.progress, progressVersion: 4 });
  });

  it('sends the next event at once to another URL, with all its attempts', () => {
    const changed = changedEndpoint(state, { url: 'https://other.example.com', updatedAt: 9 });
    expect(changed.progress).toEqual({ ...state.progress, head: { ...head, attempts: 0, nextAttemptAt: 9 } });
    expect(changed.progressVersion).toBe(5);
  });

  it('does not wait for an event that is not wanted any more (G7)', () => {
    const filter = { families: ['sandbox' as const] };
    expect(changedEndpoint(state, { filter, updatedAt: 9 }).progress).toEqual({
      place: placeOf(5),
      failingSince: 7,
      failedAt: 8,
    });
    const stillWanted = changedEndpoint(state, { filter: { types: ['agent.*'] }, updatedAt: 9 });
    expect(stillWanted.progress.head).toEqual({ ...head, nextAttemptAt: 9 });
    const notice = { id: 'n', type: 'webhook.reset', occurredAt: 1, reason: 'r', requested: 'a', at: 'b' } as const;
    const told = { ...state, progress: { ...state.progress, head: { ...head, subject: notice } } };
    expect(changedEndpoint(told, { filter, updatedAt: 9 }).progress.head).toEqual({
      ...head,
      subject: notice,
      nextAttemptAt: 9,
    });
  });

  it('knows of no removals by another filter than that by which it read (G5)', () => {
    const place = { ...placeOf(5), revision: 9 };
    const knowing: EndpointState = { ...state, progress: { ...state.progress, place } };
    expect(changedEndpoint(knowing, { description: 'other' }).progress.place).toEqual(place);
    expect(changedEndpoint(knowing, { filter: {} }).progress.place).toEqual(placeOf(5));
    expect(changedEndpoint({ ...knowing, progress: { place } }, { filter: {} }).progress).toEqual({
      place: placeOf(5),
    });
  });

  it('sends at once where it is asked to, and forgets failures where the endpoint was reached', () => {
    expect(changedEndpoint(state, { dueAt: 9 }).progress).toEqual({
      ...state.progress,
      head: { ...head, nextAttemptAt: 9 },
    });
    expect(changedEndpoint(state, { reachedAt: 9 }).progress).toEqual({
      place: placeOf(5),
      head: { ...head, nextAttemptAt: 9 },
    });
    expect(changedEndpoint(state, { dueAt: 9 }).endpoint).toEqual({ ...state.endpoint, version: 4 });
  });

  it('finds an event again from the place where it is enabled again, and tells a notice that was not told (G5)', () => {
    const endpoint = { ...state.endpoint, disabled: { reason: 'failing', at: 8 } } as const;
    const enabled = (progress: EndpointState['progress']) =>
      changedEndpoint({ ...state, endpoint, progress }, { disabled: null, updatedAt: 9 }).progress;
    expect(enabled(state.progress)).toEqual({ place: placeOf(5) });
    const notice = { id: 'n', type: 'webhook.reset', occurredAt: 1, reason: 'r', requested: 'a', at: 'b' } as const;
    const told = { ...head, subject: notice, position: toPosition(5) };
    expect(enabled({ ...state.progress, head: told })).toEqual({
      place: placeOf(5),
      head: { ...told, attempts: 0, nextAttemptAt: 9 },
    });
  });

  it('goes on from another place', () => {
    const changed = changedEndpoint(state, { place: placeOf(2), updatedAt: 9 });
    expect(changed).toMatchObject({ progress: { place: placeOf(2) }, progressVersion: 5 });
    expect(changed.progress).not.toHaveProperty('head');
  });
});

describe('skippedHead', () => {
  it('makes a dead letter of the next event, and goes on', () => {
    expect(skippedHead(state, 9)).toEqual({
      entry: {
        kind: 'event',
        outcome: 'dead',
        at: 9,
        eventId: 'e6',
        eventType: 'agent.message',
        position: 6,
        error: 'skipped',
      },
      deadLetter: { eventId: 'e6', eventType: 'agent.message', position: 6, attempts: 4, status: 500 },
      progress: { place: placeOf(6), failingSince: 7, failedAt: 8 },
    });
    expect(skippedHead({ ...state, progress: { place: placeOf(5) } }, 9)).toBeUndefined();
  });
});
