import { spawn } from 'node:child_process';

const TERM_WAIT_TENTHS = 50;

// Reads one order a line: `add SIGNAL PID`, `del PID`, `done`. When the pipe closes without `done`, the parent is
// gone: the processes get their signal, five seconds, and SIGKILL, and the folders are removed.
const SCRIPT = `
pids=
while read -r order a b; do
  case $order in
    add) pids="$pids $b"; eval "signal_$b=$a" ;;
    del) kept=; for p in $pids; do [ "$p" = "$a" ] || kept="$kept $p"; done; pids=$kept ;;
    done) exit 0 ;;
  esac
done
for p in $pids; do eval "kill -\\$signal_$p $p" 2>/dev/null; done
n=0
while [ $n -lt ${TERM_WAIT_TENTHS} ]; do
  alive=; for p in $pids; do kill -0 $p 2>/dev/null && alive=1; done
  [ -z "$alive" ] && break
  n=$((n + 1)); sleep 0.1
done
for p in $pids; do kill -KILL $p 2>/dev/null; done
rm -rf "$@"
`;

/**
 * Starts a shell that ends the registered processes, and only those, once this process is gone in whatever way,
 * SIGKILL included.
 *
 * @param {string[]} folders removed in that case
 */
export function startReaper(folders) {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'sluice-broker-reaper', ...folders], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.unref();
  child.stdin.unref?.();
  const order = (line) => child.stdin.write(`${line}\n`);
  return {
    /** @param {number} pid @param {'TERM' | 'INT' | 'KILL'} signal asked for first */
    add: (pid, signal) => order(`add ${signal} ${pid}`),
    del: (pid) => order(`del ${pid}`),
    /** Ends the shell; it does nothing more. */
    done: () => child.stdin.end('done\n'),
  };
}
