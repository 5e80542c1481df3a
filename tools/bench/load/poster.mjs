import { summarize } from '../statistics.mjs';
import { nowMs } from './clock.mjs';
import { encodeRequest, HttpConnection } from './http-connection.mjs';

const STALL_MS = 15_000;

/**
 * As many requests as the server takes, one at a time on each connection: first for `warmUpMs`, then for `durationMs`.
 *
 * @param {{ url: string, headers: Record<string, string>, bodies: string[], connections: number, warmUpMs: number,
 *   durationMs: number, method?: string }} load connection n sends `bodies[n % bodies.length]` again and again
 * @returns {Promise<{ perSecond: number, sent: number, acknowledged: number, statuses: Record<string, number>,
 *   latencyMs: object, loadCpuShare: number }>} `perSecond` and `latencyMs`: 2xx answers within the duration; the counts
 *   are over all, warm-up included. `statuses`: 0 is a lost connection.
 */
export async function postClosedLoop({ url, headers, bodies, connections, warmUpMs, durationMs, method = 'POST' }) {
  const requests = bodies.map((body) => encodeRequest(method, url, headers, body));
  const open = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(url)));
  const statuses = {};
  const latenciesMs = [];
  let sent = 0;
  let acknowledged = 0;
  const beginsAt = nowMs() + warmUpMs;
  const endsAt = beginsAt + durationMs;
  const cpuBefore = process.cpuUsage();
  const loops = open.map(
    (connection, index) =>
      new Promise((resolve) => {
        const request = requests[index % requests.length];
        const next = () => {
          const sentAt = nowMs();
          if (sentAt >= endsAt) return void resolve();
          sent += 1;
          connection.send(request, (status) => {
            const at = nowMs();
            statuses[status] = (statuses[status] ?? 0) + 1;
            if (status >= 200 && status < 300) {
              acknowledged += 1;
              if (at >= beginsAt && at < endsAt) latenciesMs.push(at - sentAt);
            }
            if (status === 0) return void resolve();
            next();
          });
        };
        next();
      }),
  );
  let late;
  const stalled = new Promise((resolve) => {
    late = setTimeout(resolve, warmUpMs + durationMs + STALL_MS);
  });
  await Promise.race([Promise.all(loops), stalled]);
  clearTimeout(late);
  const cpu = process.cpuUsage(cpuBefore);
  for (const connection of open) connection.close();
  return {
    perSecond: latenciesMs.length / (durationMs / 1000),
    sent,
    acknowledged,
    statuses,
    latencyMs: summarize(latenciesMs),
    loadCpuShare: (cpu.user + cpu.system) / 1000 / (nowMs() - beginsAt + warmUpMs),
  };
}

/**
 * Numbered events at a steady rate, whatever the server does: an event that finds no idle connection waits for one, and
 * its time counts from when it began to wait.
 *
 * @param {{ urls: string[], headers: Record<string, string>, before: string, after: string, perSecond: number,
 *   events: number, connections: number }} load event n goes to `urls[n % urls.length]` with the body before + n + after
 * @returns {Promise<{ sentAt: Float64Array, acknowledgedAt: Float64Array, statuses: Record<string, number> }>} in
 *   milliseconds of the machine's monotonic clock; NaN where there was no 2xx
 */
export async function postPaced({ urls, headers, before, after, perSecond, events, connections }) {
  const idle = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(urls[0])));
  const all = [...idle];
  const sentAt = new Float64Array(events).fill(NaN);
  const acknowledgedAt = new Float64Array(events).fill(NaN);
  const statuses = {};
  const waiting = [];
  let answered = 0;
  const startsAt = nowMs() + 20;
  await new Promise((resolve) => {
    const stalled = setTimeout(resolve, (events / perSecond) * 1000 + STALL_MS);
    const send = (connection, sequence) => {
      const url = urls[sequence % urls.length];
      connection.send(encodeRequest('POST', url, headers, `${before}${sequence}${after}`), (status) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status >= 200 && status < 300) acknowledgedAt[sequence] = nowMs();
        answered += 1;
        if (answered === events) {
          clearTimeout(stalled);
          return void resolve();
        }
        if (status === 0) return;
        const next = waiting.shift();
        if (next === undefined) idle.push(connection);
        else send(connection, next);
      });
    };
    let due = 0;
    const tick = () => {
      while (due < events && nowMs() >= startsAt + (due / perSecond) * 1000) {
        // Not when it was due: a load process that wakes up late is no fault of the server.
        sentAt[due] = nowMs();
        const connection = idle.pop();
        if (connection === undefined) waiting.push(due);
        else send(connection, due);
        due += 1;
      }
      if (due < events) setTimeout(tick, Math.max(0, startsAt + (due / perSecond) * 1000 - nowMs()));
    };
    tick();
  });
  for (const connection of all) connection.close();
  return { sentAt, acknowledgedAt, statuses };
}
