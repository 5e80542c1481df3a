import { setTimeout as pause } from 'node:timers/promises';
import type { System } from '../../e2e/system';
import type { SessionEngine } from '../../e2e/session-engine';
import { requestOf } from '../schema-export/access-world';
import { OperationsDocument, type Operation } from './malformed-document';
import { HttpSender, type HttpAnswer } from './malformed-http';
import {
  callsOf,
  judgeAnswer,
  oversizeCalls,
  takesAway,
  type CallMakers,
  type OperationCall,
} from './malformed-operations';
import type { NewMark } from './malformed-kinds';
import { MalformedWorld } from './malformed-world';

/** Requests at a time. */
const AT_ONCE = 12;
/** Of a request that is put off by a rate, a bound of connections, or by what waits before it. */
const MAX_ATTEMPTS = 20;
const PUT_OFF_MS = 500;
const SHOWN_CHARS = 200;
const MARKS = /malformed\d+z/g;

/** What came of hostile input. */
export interface MalformedOutcome {
  /** That had to be refused. */
  readonly sent: number;
  /** Of those. */
  readonly refused: number;
  /** That may be valid: answered, and by no fault of the server. */
  readonly others: number;
  readonly faults: readonly string[];
}

/** The operations of a system, which are sent everything hostile that applies to each. */
export class OperationDoors {
  private marks = 0;
  /** A text that is found again wherever it is stored. */
  readonly newMark: NewMark = () => `malformed${this.marks++}z`;

  private constructor(
    private readonly system: System,
    private readonly document: OperationsDocument,
  ) {}

  static async of(system: System): Promise<OperationDoors> {
    return new OperationDoors(system, await OperationsDocument.of(system.dev().baseUrl));
  }

  /** @param engine gets a run, of which reports are sent */
  async attack(engine: SessionEngine, round: number): Promise<MalformedOutcome> {
    const dev = this.system.dev();
    const startedAt = Date.now();
    const world = await MalformedWorld.make(dev, engine);
    const makers: CallMakers = {
      document: this.document,
      world: world.world,
      newMark: this.newMark,
      credentialOf: (operation) => world.credentialOf(operation),
      sign: (operation, body) => world.sign(operation, body),
      bodyOf: (operation) => world.bodyOf(operation),
    };
    const sender = new HttpSender(dev.baseUrl, AT_ONCE);
    const tally = new Tally(this.document, sender);
    const { operations } = this.document;
    const poured = new Set<string>();
    try {
      for (const isLast of [false, true]) {
        const turn = operations.filter((operation) => takesAway(operation) === isLast);
        await tally.send(turn.map((operation) => callsOf(operation, makers, round)));
      }
      // One after the other: bodies in hand are bounded for all together.
      const oversize = operations.flatMap((operation) => oversizeCalls(operation, makers, poured));
      await tally.send([oversize]);
      const traces = await this.tracesOf(tally.refusedMarks, sender, world, startedAt);
      return { ...tally.counts, faults: [...tally.faults, ...traces] };
    } finally {
      sender.close();
    }
  }

  /** What was refused and can be read all the same, wherever an operation shows it. */
  private async tracesOf(
    refused: ReadonlyMap<string, string>,
    sender: HttpSender,
    world: MalformedWorld,
    sinceMs: number,
  ): Promise<readonly string[]> {
    const found = new Set<string>();
    const look = async (operation: Operation, path: string): Promise<string> => {
      const { text, status } = await sender.send({ method: 'GET', path, headers: world.credentialOf(operation) });
      if (status !== 200) found.add(`GET ${path}: ${status} ${text.slice(0, SHOWN_CHARS)}`);
      for (const [mark] of text.matchAll(MARKS)) {
        const name = refused.get(mark);
        if (name !== undefined) found.add(`${name}: refused, and shown by GET ${operation.path}`);
      }
      return text;
    };
    for (const operation of this.document.operations.filter(showsThings)) {
      const { path, query } = requestOf(operation, world.world);
      const isDescending = operation.parameters?.some(({ name }) => name === 'order') === true;
      const first = `${path}${query === '' ? '?' : `${query}&`}${isDescending ? 'order=desc' : ''}`;
      if (operation.path !== '/v1/events') {
        // What is named may have been taken away.
        if (!operation.path.includes('{')) await look(operation, first);
        continue;
      }
      for (let cursor: string | undefined = ''; cursor !== undefined;) {
        const text = await look(
          operation,
          `${path}${query}&since=${sinceMs}&limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
        );
        cursor = /"nextCursor":"([^"]+)"/.exec(text)?.[1];
      }
    }
    return [...found];
  }
}

/** Whether it answers with JSON to somebody who is known. */
function showsThings({ method, security, responses }: Operation): boolean {
  return method === 'GET' && security.length > 0 && responses['200']?.content?.['application/json'] !== undefined;
}

const isPutOff = ({ status, text }: HttpAnswer): boolean =>
  status === 429 || (status === 503 && /"overloaded"|overloaded_error/.test(text));

/** That an unknown agent was asked for is an event as well. */
const isToldOf = ({ operation }: OperationCall): boolean => operation.path === '/api/agents/{id}/spawn';

/** Sends calls, and counts what comes of them. */
class Tally {
  readonly faults: string[] = [];
  /** What was refused, by the mark that was in it. */
  readonly refusedMarks = new Map<string, string>();
  readonly counts = { sent: 0, refused: 0, others: 0 };

  constructor(
    private readonly document: OperationsDocument,
    private readonly sender: HttpSender,
  ) {}

  /** Some lists at a time, the calls of each one after the other: of many changes of one thing some would have to wait. */
  async send(lists: readonly (readonly OperationCall[])[]): Promise<void> {
    const left = lists[Symbol.iterator]();
    const work = async () => {
      for (const calls of left) {
        for (const call of calls) this.take(call, await this.sendInTurn(call));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** Comes back when it is told to: what is put off is not looked at. */
  private async sendInTurn({ input }: OperationCall): Promise<HttpAnswer> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.sender.send(input);
      if (!isPutOff(answer) || attempt === MAX_ATTEMPTS) return answer;
      await pause(PUT_OFF_MS);
    }
  }

  private take(call: OperationCall, answer: HttpAnswer): void {
    const name = `${call.operation.method} ${call.operation.path}, ${call.name}`;
    const verdict = judgeAnswer(call, answer, this.document);
    if (call.mustBeRefused) this.counts.sent++;
    if (verdict === 'refused' && !isToldOf(call)) this.refusedMarks.set(call.mark, name);
    if (typeof verdict === 'object') this.faults.push(`${name}: ${verdict.wrong}`);
    else if (!call.mustBeRefused) this.counts.others++;
    else this.counts.refused++;
  }
}
