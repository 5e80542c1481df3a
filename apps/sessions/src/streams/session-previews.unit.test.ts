import { MemorySessionDeltas } from '@sluice/agent-sessions';
import type { FeedEvent } from '@sluice/delivery';
import type { SessionDelta } from '@sluice/event-schema';
import { sessionDialect } from './session-dialect';
import { SessionPreviews, type DeltaOutcome } from './session-previews';

const scope = { workspaceId: 1, sessionId: 'sesn_a' };
const start = (id: string, type: 'agent.message' | 'agent.thinking' = 'agent.message'): SessionDelta => ({
  type: 'event_start',
  event: { type, id },
});
const delta = (id: string, text: string, index?: number): SessionDelta => ({
  type: 'event_delta',
  event_id: id,
  delta: { type: 'content_delta', ...(index !== undefined && { index }), content: { type: 'text', text } },
});

/** One stream, and what it was written. */
function streamOf(types: readonly string[] = ['agent.message', 'agent.thinking']) {
  const outcomes: DeltaOutcome[] = [];
  const written: SessionDelta[] = [];
  const frames: string[] = [];
  const deltas = new MemorySessionDeltas();
  const previews = new SessionPreviews(new Set(types), { delta: (outcome) => outcomes.push(outcome) });
  const stream = {
    deltas,
    outcomes,
    written,
    frames,
    isSlow: false,
    publish: (...published: SessionDelta[]) => deltas.publish(scope, published),
    /** The event itself is written. */
    conclude: (id: string, type = 'agent.message') =>
      previews
        .dialect({ ...sessionDialect, events: () => Buffer.alloc(0) })
        .events([{ event: { type, data: { id, type } } } as unknown as FeedEvent]),
  };
  const stop = previews.follow(deltas, scope, (frame) => {
    if (stream.isSlow) return false;
    frames.push(frame.toString());
    written.push(JSON.parse(frame.toString().replace(/^event: message\ndata: /, '')) as SessionDelta);
    return true;
  });
  return Object.assign(stream, { stop });
}

describe('SessionPreviews', () => {
  it('writes frames of the name that all events have, without an id', () => {
    const stream = streamOf();
    stream.publish(start('m'));
    expect(stream.frames).toEqual([
      'event: message\ndata: {"type":"event_start","event":{"type":"agent.message","id":"m"}}\n\n',
    ]);
  });

  it('shows an event until it is whole, and nothing of it after', () => {
    const stream = streamOf();
    const shown = [start('m'), delta('m', 'a'), delta('m', 'b', 0), delta('m', 'c', 1)];
    stream.publish(...shown);
    stream.conclude('m');
    stream.publish(delta('m', 'd', 1), start('m'));
    expect(stream.written).toEqual(shown);
    expect(stream.outcomes).toEqual([...shown.map(() => 'written'), 'late', 'late']);
  });

  it('shows types that were asked for, and thinking by its start alone', () => {
    const stream = streamOf(['agent.thinking']);
    stream.publish(start('m'), delta('m', 'a'), start('t', 'agent.thinking'), delta('t', 'b'));
    expect(stream.written).toEqual([start('t', 'agent.thinking')]);
  });

  it('shows nothing of an event whose start it has not shown', () => {
    const stream = streamOf();
    stream.publish(delta('m', 'a'));
    expect(stream.written).toEqual([]);
    expect(stream.outcomes).toEqual(['skipped']);
  });

  it.each([
    [
      'the subscriber is slow',
      (stream: ReturnType<typeof streamOf>) => {
        stream.isSlow = true;
        stream.publish(delta('m', 'lost'));
        stream.isSlow = false;
      },
    ],
    ['something is missing', (stream: ReturnType<typeof streamOf>) => stream.deltas.tellGap(scope)],
    ['an entry is left out', (stream: ReturnType<typeof streamOf>) => stream.publish(delta('m', 'later', 2))],
  ])('shows no more of an event once %s, until it begins anew', (_, happens) => {
    const stream = streamOf();
    stream.publish(start('m'), delta('m', 'a'));
    happens(stream);
    stream.publish(delta('m', 'b'));
    expect(stream.written).toEqual([start('m'), delta('m', 'a')]);
    stream.publish(start('m'), delta('m', 'again'));
    expect(stream.written.slice(2)).toEqual([start('m'), delta('m', 'again')]);
  });

  it('shows at most a hundred events at a time, and stops with its stream', () => {
    const stream = streamOf();
    const ids = Array.from({ length: 101 }, (_, n) => `m${n}`);
    stream.publish(...ids.map((id) => start(id)));
    stream.publish(delta('m0', 'a'), delta('m1', 'b'));
    expect(stream.written.slice(101)).toEqual([delta('m1', 'b')]);
    stream.stop();
    stream.publish(delta('m1', 'c'));
    expect(stream.outcomes).toHaveLength(103);
  });
});
