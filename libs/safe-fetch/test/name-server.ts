import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import { askNameServers } from '../src/resolve-addresses';
import type { ResolveAddresses } from '../src/index';

const HEADER_BYTES = 12;
const TYPE_A = 1;
const TYPE_AAAA = 28;
const NAME_UNKNOWN = 3;

export interface NameServer {
  /** Asks this server, by the very code that asks those of the system. */
  readonly resolve: ResolveAddresses;
  /** Questions for IPv4 addresses that it got. */
  questions(): number;
  close(): Promise<void>;
}

/** A name server whose answer is whatever `answer` gives for the nth question (from 0 on); undefined: it says nothing. */
export async function startNameServer(answer: (nth: number) => readonly string[] | undefined): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked = new Map<number, number>();
  socket.on('message', (message, peer) => {
    const questionEnd = message.indexOf(0, HEADER_BYTES) + 5;
    const type = message.readUInt16BE(questionEnd - 4);
    const nth = asked.get(type) ?? 0;
    asked.set(type, nth + 1);
    const addresses = answer(nth);
    if (addresses !== undefined) {
      socket.send(reply(message.subarray(0, questionEnd), type, addresses), peer.port, peer.address);
    }
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    resolve: (hostname, signal) => askNameServers(hostname, signal, [`127.0.0.1:${socket.address().port}`]),
    questions: () => asked.get(TYPE_A) ?? 0,
    close: () => new Promise((resolve) => socket.close(resolve)),
  };
}

function reply(query: Buffer, type: number, addresses: readonly string[]): Buffer {
  const records = addresses.filter((address) => (isIPv4(address) ? TYPE_A : TYPE_AAAA) === type).map(recordOf);
  const answer = Buffer.from(query);
  answer.writeUInt16BE(0x8180 | (addresses.length === 0 ? NAME_UNKNOWN : 0), 2);
  answer.writeUInt16BE(records.length, 6);
  answer.writeUInt16BE(0, 8);
  answer.writeUInt16BE(0, 10);
  return Buffer.concat([answer, ...records]);
}

function recordOf(address: string): Buffer {
  const bytes = isIPv4(address)
    ? Buffer.from(address.split('.').map(Number))
    : Buffer.from(
        address
          .split(':')
          .map((group) => group.padStart(4, '0'))
          .join(''),
        'hex',
      );
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  head.writeUInt16BE(isIPv4(address) ? TYPE_A : TYPE_AAAA, 2);
  head.writeUInt16BE(1, 4);
  // Not to be kept: the next answer may be another.
  head.writeUInt32BE(0, 6);
  head.writeUInt16BE(bytes.length, 10);
  return Buffer.concat([head, bytes]);
}
