import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const CLI = resolve(__dirname, '../../../../tools/brokers/cli.mjs');

interface Answer {
  readonly SLUICE_TEST_KAFKA_BROKERS: string;
  readonly kafkaPid: number;
  readonly ok?: boolean;
  readonly error?: string;
}

/** A Kafka broker of one test's own, to be killed and frozen. */
export interface PrivateBroker {
  readonly brokers: readonly string[];
  /** Ends it without warning and starts it again on the same port; resolves when it answers. */
  kill(): Promise<void>;
  /** It keeps its connections and answers nothing, until `thaw`. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export async function startPrivateBroker(): Promise<PrivateBroker> {
  const args = [CLI, '--need', 'kafka', '--source', 'process', '--no-durable', '--control'];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-4_000)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<Answer> => {
    const line: IteratorResult<string, unknown> = await lines.next();
    if (line.done) throw new Error(`The broker could not be started:\n${complaint}`);
    const parsed = JSON.parse(line.value) as Answer;
    if (parsed.ok === false) throw new Error(`The broker did not obey: ${parsed.error ?? ''}`);
    return parsed;
  };
  let current = await answer();
  return {
    brokers: current.SLUICE_TEST_KAFKA_BROKERS.split(','),
    kill: async () => {
      child.stdin.write('restart kafka SIGKILL\n');
      current = await answer();
    },
    freeze: () => void process.kill(current.kafkaPid, 'SIGSTOP'),
    thaw: () => void process.kill(current.kafkaPid, 'SIGCONT'),
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
