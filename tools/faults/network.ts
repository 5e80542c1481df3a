import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Effect } from './effect';
import type { Ground } from './fault-class';
import { runTool } from './tools';

/** In what way packets between two do not arrive. */
export const BREAKS = ['drop', 'to-broker', 'from-broker', 'loss'] as const;
export type Break = (typeof BREAKS)[number];

const LOSS = '0.2';
/** Who rarely speaks to a broker: how much longer it is waited for that something is dropped. */
const SILENCE_MS = 20_000;
const LOOK_INTERVAL_MS = 500;
/** How `/proc/net/tcp` calls a connection that is open. */
const ESTABLISHED = '01';
const INTERFACE = 'f';

/**
 * Puts each app into a network namespace of its own, by a launcher that becomes the app. This process, which has to be in
 * a namespace of its own too, and with it brokers and clients, are the hub: each app is tied to it by a pair of
 * interfaces, over which everything goes that the app and the others send to each other's ports of 127.0.0.1.
 */
export class Network {
  private constructor(private readonly folder: string) {}

  /** @param folder a new one, for the launcher and what it notes */
  static async prepare(folder: string): Promise<{ readonly network: Network; readonly ground: Ground }> {
    await mkdir(join(folder, 'apps'), { recursive: true });
    const launcher = join(folder, 'launch');
    await writeFile(launcher, launcherOf(join(folder, 'apps')));
    await chmod(launcher, 0o755);
    await runTool('ip', 'link', 'set', 'lo', 'up');
    await runTool('sysctl', '-qw', 'net.ipv4.conf.all.route_localnet=1', 'net.ipv4.conf.all.rp_filter=0');
    const ground = { settings: { SLUICE_CLUSTER_LAUNCHER: launcher }, clear: async () => undefined };
    return { network: new Network(folder), ground };
  }

  /** Breaks what is between an app and a port of a broker for some time; shows what was dropped. */
  async breakFor(app: string, port: number, how: Break, durationMs: number): Promise<readonly Effect[]> {
    const rules = await this.rulesOf(app, port, how);
    for (const rule of rules) await runTool('iptables', '-w', '-A', ...rule);
    try {
      await pause(durationMs);
      let dropped = await countDropped(rules);
      for (let waitedMs = 0; waitedMs < SILENCE_MS && dropped === 0; waitedMs += LOOK_INTERVAL_MS) {
        await pause(LOOK_INTERVAL_MS);
        dropped = await countDropped(rules);
      }
      // Who is not asked does not answer: of two ways, one is enough.
      return [{ what: 'packets dropped', count: dropped }];
    } finally {
      for (const rule of rules) await runTool('iptables', '-w', '-D', ...rule);
    }
  }

  private async rulesOf(app: string, port: number, how: Break): Promise<readonly (readonly string[])[]> {
    const number = (await readFile(join(this.folder, 'apps', app), 'utf8')).trim();
    const toBroker = ['INPUT', '-i', `${INTERFACE}${number}`, '-p', 'tcp', '--dport', String(port)];
    const fromBroker = ['OUTPUT', '-d', `10.77.${number}.2`, '-p', 'tcp', '--sport', String(port)];
    const drop = ['-j', 'DROP'];
    const some = ['-m', 'statistic', '--mode', 'random', '--probability', LOSS, ...drop];
    switch (how) {
      case 'drop':
        return [
          [...toBroker, ...drop],
          [...fromBroker, ...drop],
        ];
      case 'to-broker':
        return [[...toBroker, ...drop]];
      case 'from-broker':
        return [[...fromBroker, ...drop]];
      case 'loss':
        return [
          [...toBroker, ...some],
          [...fromBroker, ...some],
        ];
    }
  }
}

/** All that a chain drops is dropped by the one rule that is in it. */
async function countDropped(rules: readonly (readonly string[])[]): Promise<number> {
  const listings = rules.map(([chain = '']) => runTool('iptables', '-w', '-nvxL', chain));
  return (await Promise.all(listings)).reduce((sum, listing) => sum + droppedIn(listing), 0);
}

/** @param listing of a chain, by `iptables -nvxL` */
export function droppedIn(listing: string): number {
  return listing
    .split('\n')
    .map((line) => /^\s*(\d+)\s+\d+\s+DROP\s/.exec(line)?.[1])
    .reduce((sum, packets) => sum + Number(packets ?? 0), 0);
}

/** Whether a process has a connection to a port, as its own namespace sees it. */
export async function isConnectedTo(pid: number, port: number): Promise<boolean> {
  return hasConnectionTo(await readFile(`/proc/${pid}/net/tcp`, 'utf8'), port);
}

/** @param table a `/proc/PID/net/tcp` */
export function hasConnectionTo(table: string, port: number): boolean {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').some((line) => {
    const [, , remote = '', state] = line.trim().split(/\s+/);
    return state === ESTABLISHED && remote.endsWith(`:${hexadecimal}`);
  });
}

/**
 * A namespace ends with the process in it, and its interfaces with the namespace, so nothing has to be cleared away. The
 * app keeps the process id of the launcher.
 */
function launcherOf(folder: string): string {
  return `#!/bin/sh
set -e
name=$1; shift
[ -f "${folder}/$name" ] || echo $(( $(ls "${folder}" | wc -l) + 1 )) > "${folder}/$name"
n=$(cat "${folder}/$name")
ports=$SLUICE_HTTP_PORT
[ "$name" = pubsub-tcp ] && ports=$ports,$SLUICE_PUBSUB_PORT
once() { iptables -w -t nat -C "$@" 2>/dev/null || iptables -w -t nat -A "$@"; }
once OUTPUT -d 127.0.0.1 -p tcp -m multiport --dports $ports -j DNAT --to-destination 10.77.$n.2
once POSTROUTING -o ${INTERFACE}$n -j MASQUERADE
once PREROUTING -i ${INTERFACE}$n -p tcp -j DNAT --to-destination 127.0.0.1
# Servers of the hub see a caller of their own machine.
once INPUT -s 10.77.$n.2 -p tcp -j SNAT --to-source 127.0.0.1
ip link del ${INTERFACE}$n 2>/dev/null || true
ip link add ${INTERFACE}$n type veth peer name peer$n
ip addr add 10.77.$n.1/30 dev ${INTERFACE}$n
ip link set ${INTERFACE}$n up
hub=$(readlink /proc/$$/ns/net)
( while [ "$(readlink /proc/$$/ns/net)" = "$hub" ]; do sleep 0.02; done; ip link set peer$n netns $$ ) &
exec unshare --net sh -e -c '
n=$1; ports=$2; shift 2
until ip link show peer$n >/dev/null 2>&1; do sleep 0.02; done
ip link set lo up
ip addr add 10.77.$n.2/30 dev peer$n
ip link set peer$n up
sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.all.rp_filter=0
iptables -w -t nat -A OUTPUT -d 127.0.0.1 -p tcp -m multiport ! --dports $ports -j DNAT --to-destination 10.77.$n.1
iptables -w -t nat -A POSTROUTING -o peer$n -j MASQUERADE
iptables -w -t nat -A PREROUTING -i peer$n -p tcp -j DNAT --to-destination 127.0.0.1
exec "$@"' sh $n $ports "$@"
`;
}
