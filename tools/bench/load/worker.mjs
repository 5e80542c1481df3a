// The process that makes the load: posts events, or holds subscribers. The parent says what by `call`.
import { serveCalls } from '../child.mjs';
import { nowMs } from './clock.mjs';
import { postClosedLoop, postPaced } from './poster.mjs';
import { Subscribers } from './subscribers.mjs';

const groups = new Map();

/** Share of one core that this process takes since a moment. */
function cpuShareSince({ at, usage }) {
  const { user, system } = process.cpuUsage(usage);
  return (user + system) / 1000 / (nowMs() - at);
}

serveCalls({
  postClosedLoop,
  postPaced,
  /** Opens subscribers and keeps them under a name. */
  subscribe: async ({ name, target, expected }) => {
    const startedAt = nowMs();
    const group = new Subscribers(target, expected);
    groups.set(name, { group });
    await group.open();
    groups.set(name, { group, opened: { at: nowMs(), usage: process.cpuUsage() } });
    return { startedAt };
  },
  collect: async ({ name, quietMs }) => {
    const { group, opened } = groups.get(name);
    const result = await group.collect(quietMs);
    return { ...result, loadCpuShare: cpuShareSince(opened) };
  },
  stall: ({ name }) => groups.get(name).group.stall(),
  unsubscribe: ({ name }) => {
    groups.get(name)?.group.close();
    groups.delete(name);
  },
});
