import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createLogger, MetricsRegistry, type ServiceLogger } from '../src/index';
import type { LogLevel } from '../src/logger';

export type LogLine = Readonly<Record<string, unknown>>;

/** A real logger whose lines are kept. */
export function keptLogger(level: LogLevel = 'debug'): { logger: ServiceLogger; lines: LogLine[]; text: () => string } {
  const lines: LogLine[] = [];
  const raw: string[] = [];
  const destination = {
    write: (line: string) => {
      raw.push(line);
      lines.push(JSON.parse(line) as LogLine);
    },
  };
  return { logger: createLogger({ service: 'test', level, destination }), lines, text: () => raw.join('') };
}

export function newMetrics(): MetricsRegistry {
  return new MetricsRegistry();
}

const UNTIL_MAX_MS = 60_000;

/** Between two looks the processor is for those who are waited for. */
const LOOK_INTERVAL_MS = 2;

/** Resolves when the condition holds; rejects when it does not within a minute, so that a wait in vain ends. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAtMs = performance.now() + UNTIL_MAX_MS;
  while (!(await condition())) {
    if (performance.now() > giveUpAtMs) throw new Error(`waited in vain: ${condition.toString()}`);
    await pause(LOOK_INTERVAL_MS);
  }
}

/** A promise that is settled from outside. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Sends bytes and gives all that comes back until the other side closes. */
export function exchange(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => parts.forEach((part) => socket.write(part)));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}
