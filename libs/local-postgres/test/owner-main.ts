import { startLocalPostgres } from '../src';

/** A process that owns a database until it is killed or told to stop. It prints one line: the address, or the fault. */
async function main(dataDir: string): Promise<void> {
  try {
    const postgres = await startLocalPostgres({ dataDir });
    process.on('SIGTERM', () => void postgres.stop().then(() => process.exit(0)));
    // A server needs no reason to live on; the process does.
    setInterval(() => undefined, 60_000);
    process.stdout.write(`${JSON.stringify({ databaseUrl: postgres.databaseUrl })}\n`);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    process.stdout.write(`${JSON.stringify({ code, message })}\n`, () => process.exit(1));
  }
}

void main(process.argv[2] ?? '');
