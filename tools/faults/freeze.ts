/** Stops a process as it stands (SIGSTOP) until the work is done, then lets it go on. */
export async function freeze(pid: number, whileFrozen: () => Promise<unknown>): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  try {
    await whileFrozen();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
