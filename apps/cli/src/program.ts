import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { checkConfig } from './commands/check-config';
import { createKey, listKeys, revokeKey, type CreateKeyOptions } from './commands/keys';
import { printLag } from './commands/lag';
import { listParked, replayParked } from './commands/parked';
import { sendEvent, type SendOptions } from './commands/send';
import { tail, type TailOptions } from './commands/tail';
import { printToken, type MintOptions } from './commands/tokens';
import { APPS_FOLDER, readConfig, type CliFlags, type Environment } from './config';
import type { CommandContext } from './context';
import { CliError, describeError, EXIT_FAILURE, EXIT_USAGE } from './errors';
import type { Terminal } from './terminal';

interface WorkspaceOption {
  readonly workspace?: number;
}

/** Runs one command line, without the names of the program. @returns the exit code: 0, 1 for a fault, 2 for wrong usage */
export async function runCli(args: readonly string[], env: Environment, terminal: Terminal): Promise<number> {
  try {
    await createProgram(env, terminal).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    // What a signal broke off is no fault.
    if (terminal.stopped.aborted) return 0;
    // Commander has printed its own line, and ends this way after --help too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    terminal.complain(`sluice: ${describeError(error)}`);
    return error instanceof CliError ? error.exitCode : EXIT_FAILURE;
  }
}

function createProgram(env: Environment, terminal: Terminal): Command {
  const program = new Command('sluice')
    .description('The command line of Sluice.')
    .option('--url <url>', 'base URL (SLUICE_URL, else the development server)')
    .option('--api-key <key>', 'key for reading (SLUICE_API_KEY)')
    .option('--admin-key <key>', 'key of an administrator (SLUICE_ADMIN_KEY)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.complain(text.trimEnd()),
    });
  /** Runs a command with what the settings say at that moment. */
  const context = (): CommandContext => ({ config: readConfig(program.opts<CliFlags>(), env), terminal });

  const key = program.command('key').description('API keys of a workspace');
  key
    .command('create')
    .description('make a key; its text is shown once')
    .requiredOption('--workspace <number>', 'workspace of the key', wholeNumber)
    .addOption(new Option('--role <role>', 'what it may do').choices(['reader', 'writer', 'admin']).default('reader'))
    .option('--name <text>', 'what it is for')
    .action((options: CreateKeyOptions) => createKey(context(), options));
  key
    .command('list')
    .description('list the keys, without their texts')
    .option('--workspace <number>', 'workspace; by default that of your key', wholeNumber)
    .action((options: WorkspaceOption) => listKeys(context(), options));
  key
    .command('revoke')
    .description('end a key')
    .argument('<keyId>', 'id of the key')
    .action((keyId: string) => revokeKey(context(), keyId));

  const token = program.command('token').description('access tokens of sandboxes');
  token
    .command('mint')
    .description('make an access token')
    .requiredOption('--workspace <number>', 'workspace of the sandbox', wholeNumber)
    .requiredOption('--sandbox <id>', 'the sandbox')
    .option('--ttl <seconds>', 'how long it is valid', wholeNumber)
    .action((options: MintOptions) => printToken(context(), options));

  program
    .command('tail')
    .description('print events as they come')
    .option('--family <family>', 'only events of this family')
    .option('--entity <id>', 'only events about this')
    .option('--type <type>', 'only this type, or a prefix such as execution.*; may be repeated', collect)
    .option('--cursor <cursor>', 'where to start: a cursor, earliest or latest', 'latest')
    .option('--workspace <number>', 'workspace; by default that of your key', wholeNumber)
    .option('--json', 'print the events as they are stored')
    .action((options: TailOptions) => tail(context(), options));

  program
    .command('send')
    .description('store one event')
    .requiredOption('--sandbox <id>', 'the sandbox')
    .requiredOption('--type <type>', 'type of the event')
    .option('--data <json>', 'a JSON object, or - for standard input')
    .option('--workspace <number>', 'workspace; by default that of your key', wholeNumber)
    .action((options: SendOptions) => sendEvent(context(), options));

  const parked = program.command('parked').description('records that could not become events');
  parked
    .command('list')
    .description('list them')
    .option('--workspace <number>', 'only those of this workspace', wholeNumber)
    .action((options: WorkspaceOption) => listParked(context(), options));
  parked
    .command('replay')
    .description('put them back into the log')
    .argument('[ids...]', 'ids of parked records')
    .option('--all', 'all that were not replayed yet')
    .option('--workspace <number>', 'only those of this workspace', wholeNumber)
    .action((ids: string[], options: WorkspaceOption & { all?: boolean }) => replayParked(context(), ids, options));

  program
    .command('lag')
    .description('tell how far the read model is behind the log')
    .action(() => printLag(context()));

  program
    .command('check-config')
    .description('check this environment against the settings of an app, or of all')
    .argument('[app]', 'name of the app')
    .action((app: string | undefined) => checkConfig(terminal, APPS_FOLDER, app));

  return program;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  if (value === '' || value.includes(',')) throw new InvalidArgumentError('Give one type at a time.');
  return [...previous, value];
}
