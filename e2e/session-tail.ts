import { join } from 'node:path';
import { programEnvironment } from './config';
import { Program } from './program';
import { anthropicOf, newSession, say } from './session-client';
import type { System } from './system';

const COMMAND_LINE = join(__dirname, '..', 'tools', 'sluice.mjs');

/** The command line shows a session's events beside all others of its workspace, as they come. */
export async function assertCommandLineTailsSessions(system: System): Promise<void> {
  const { baseUrl, apiKey } = system.dev();
  const client = anthropicOf(system);
  const sessionId = await newSession(client);
  await say(client, sessionId, 'hello');
  const tail = Program.run(
    process.execPath,
    [COMMAND_LINE, 'tail', '--family', 'session', '--entity', sessionId, '--cursor', 'earliest'],
    programEnvironment({ SLUICE_URL: baseUrl, SLUICE_API_KEY: apiKey }),
  );
  try {
    await tail.untilPrinted('session.status_idle');
    for (const type of ['session.created', 'user.message', 'session.status_running', 'agent.message']) {
      expect(tail.printed).toContain(`session/${sessionId}  ${type}`);
    }
  } finally {
    tail.end();
  }
}
