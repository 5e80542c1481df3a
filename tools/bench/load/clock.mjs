/**
 * Milliseconds on the machine's monotonic clock. Its zero is the same for every process (the start of the machine on
 * Linux and macOS), so that times of different processes can be subtracted. `performance.timeOrigin` is read from the
 * wall clock at each process's start and differs between processes by what that clock was moved in between.
 */
export function nowMs() {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
