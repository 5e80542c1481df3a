import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import type { DeliveryItem, EndReason, FeedEvent, Subscription } from '@sluice/delivery';
import { until } from '@sluice/event-log/conformance';
import { EventStream, MAX_UNREAD_BESIDE_BYTES, type WriteBeside } from './event-stream';

const at = { epoch: 'a', position: 1 } as unknown as Subscription['startedAt'];

const opened: Writable[] = [];
afterEach(() => opened.splice(0).forEach((response) => response.destroy()));

/** A response whose reader reads when it is told to, and a subscription that gives what it is given. */
function openStream() {
  const read: string[] = [];
  const held: (() => void)[] = [];
  const response = new Writable({
    highWaterMark: 1_000,
    write: (chunk: Buffer, _encoding, done) => {
      held.push(() => {
        read.push(chunk.toString());
        done();
      });
    },
  });
  opened.push(response);
  Object.assign(response, { setTimeout: () => response });
  const items: DeliveryItem[] = [];
  let onReadable: () => void = () => undefined;
  let onEnded: (reason: EndReason) => void = () => undefined;
  const subscription: Pick<
    Subscription,
    'startedAt' | 'position' | 'reset' | 'ended' | 'take' | 'onReadable' | 'close'
  > = {
    startedAt: at,
    position: at,
    reset: undefined,
    ended: new Promise((resolve) => (onEnded = resolve)),
    take: () => items.shift(),
    onReadable: (listener) => (onReadable = listener),
    close: () => {
      items.push({ kind: 'end', reason: 'closed', at });
      onEnded('closed');
      onReadable();
    },
  };
  let write: WriteBeside = () => false;
  let isStopped = false;
  const stream = new EventStream(
    subscription as Subscription,
    response as unknown as ServerResponse,
    { ended: () => undefined, cutOff: () => undefined, fault: () => undefined },
    {
      dialect: {
        opening: () => Buffer.from('opening'),
        events: () => Buffer.from('event'),
        heartbeat: () => Buffer.from('heartbeat'),
        reset: () => Buffer.from('reset'),
        end: () => Buffer.from('end'),
      },
      retryMs: 1,
      heartbeatMs: 3_600_000,
      stallTimeoutMs: 1,
      endGraceMs: 3_600_000,
      beside: (given) => {
        write = given;
        return () => (isStopped = true);
      },
    },
  );
  const over = stream.run(() => ({ cancel: () => undefined }));
  return {
    read,
    write: (bytes: number) => write(Buffer.alloc(bytes, 'x')),
    event: () => {
      items.push({ kind: 'events', events: [{} as FeedEvent] });
      onReadable();
    },
    /** The reader reads one frame. */
    readOne: () => held.shift()?.(),
    readAll: () => until(() => (held.shift()?.(), held.length === 0), 'all is read'),
    isStopped: () => isStopped,
    end: async () => {
      stream.dismiss(undefined);
      await until(() => (held.shift()?.(), response.writableFinished), 'it ends');
      response.destroy();
      await over;
    },
  };
}

describe('frames beside the events of a stream', () => {
  it('come after its opening, and stop before it ends', async () => {
    const stream = openStream();
    expect(stream.write(5)).toBe(true);
    await stream.readAll();
    expect(stream.read).toEqual(['opening', 'xxxxx']);
    await stream.end();
    expect(stream.isStopped()).toBe(true);
  });

  it('are refused to who leaves too much unread, and taken again once it has read', async () => {
    const stream = openStream();
    expect(stream.write(MAX_UNREAD_BESIDE_BYTES)).toBe(false);
    expect(stream.write(MAX_UNREAD_BESIDE_BYTES - 7)).toBe(true);
    expect(stream.write(1)).toBe(false);
    await stream.readAll();
    expect(stream.write(1)).toBe(true);
    await stream.end();
  });

  it('never keep an event waiting: while one is to be read first, there are none', async () => {
    const stream = openStream();
    expect(stream.write(2_000)).toBe(true);
    stream.event();
    stream.event();
    // However fast it is written beside, the reader comes to the second event.
    await until(() => {
      stream.write(2_000);
      stream.readOne();
      return stream.read.filter((frame) => frame === 'event').length === 2;
    }, 'both events are read');
    await stream.readAll();
    await stream.end();
  });
});
