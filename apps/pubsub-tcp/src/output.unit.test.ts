import { until } from '@sluice/event-log/conformance';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Output } from './output';

let server: Server;
let near: Socket;
let far: Socket;
let output: Output;
let sentBytes = 0;
const received: Buffer[] = [];
const text = () => Buffer.concat(received).toString();

beforeEach(async () => {
  received.length = 0;
  sentBytes = 0;
  server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  far = connect((server.address() as AddressInfo).port, '127.0.0.1');
  far.on('data', (chunk: Buffer) => received.push(chunk));
  near = await accepted;
  output = new Output(near, { joinedBytes: 8 }, (bytes) => (sentBytes += bytes));
});
afterEach(() => {
  near.destroy();
  far.destroy();
  server.close();
});

it('writes frames in their order, joined or one by one', async () => {
  output.write(Buffer.from('one '));
  output.write(Buffer.from('two '), Buffer.from('3 '));
  output.write(Buffer.from('a longer one '), Buffer.from('and another'));
  output.write();
  await until(() => text().endsWith('another'), 'all');
  expect(text()).toBe('one two 3 a longer one and another');
  expect(sentBytes).toBe(text().length);
});

it('says that it is blocked, and calls back once, in order, when the peer has read', async () => {
  far.pause();
  while (!output.isBlocked) output.write(Buffer.alloc(1024 * 1024));
  expect(output.blockedSinceMs).toBeDefined();
  const calls: string[] = [];
  output.onceDrained(() => calls.push('first'));
  output.onceDrained(() => calls.push('second'));
  far.resume();
  await until(() => calls.length === 2, 'the calls');
  expect(calls).toEqual(['first', 'second']);
  expect(output.isBlocked).toBe(false);
  expect(output.blockedSinceMs).toBeUndefined();
});

it('calls nobody back who was forgotten', async () => {
  far.pause();
  while (!output.isBlocked) output.write(Buffer.alloc(1024 * 1024));
  const called = jest.fn();
  output.onceDrained(called);
  output.close();
  far.resume();
  await until(() => !output.isBlocked, 'room');
  expect(called).not.toHaveBeenCalled();
});

it('writes nothing once the socket is ended', async () => {
  near.end('last');
  output.write(Buffer.from('late'));
  await until(() => text() === 'last' && far.readableEnded, 'the end');
  expect(sentBytes).toBe(0);
});
