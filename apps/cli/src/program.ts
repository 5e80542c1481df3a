import { EVENT_FAMILIES } from '@sluice/event-schema';
import { Command, CommanderError, Option } from 'commander';
import {
  acceptReorg,
  checkChains,
  listChains,
  type CheckChainsOptions,
  type ListChainsOptions,
} from './commands/chains';
import { checkConfig } from './commands/check-config';
import { createKey, listKeys, revokeKey, type CreateKeyOptions } from './commands/keys';
import { printLag } from './commands/lag';
import { listParked, replayParked } from './commands/parked';
import { sendEvent, type SendOptions } from './commands/send';
import { tail, type TailOptions } from './commands/tail';
import { mintToken, type MintOptions } from './commands/tokens';
import {
  APPS_FOLDER,
  chainsFileOf,
  CLI_SETTINGS,
  mayColourOf,
  readConfig,
  type CliFlags,
  type Environment,
} from './config';
import type { CommandContext } from './context';
import { CliError, describeError, EXIT_FAILURE, EXIT_OK, EXIT_USAGE, Interruption } from './errors';
import { addMaintenanceCommands } from './maintenance-commands';
import { families, list, wholeNumber } from './option-values';
import { printable } from './printable';
import type { Terminal } from './terminal';

interface WorkspaceOption {
  readonly workspace?: number;
}

/**
 * Runs one command line, without the names of the program.
 *
 * @returns the exit code: 0, 1 for a fault, 2 for wrong usage, or that of what broke the command off
 */
export async function runCli(args: readonly string[], env: Environment, terminal: Terminal): Promise<number> {
  try {
    await execute(args, env, terminal);
    return EXIT_OK;
  } catch (error) {
    const reason: unknown = terminal.stopped.reason;
    if (reason instanceof Interruption) return reason.exitCode;
    // It has said its line already.
    if (error instanceof CommanderError) return EXIT_USAGE;
    terminal.complain(`sluice: ${printable(describeError(error))}`);
    return error instanceof CliError ? error.exitCode : EXIT_FAILURE;
  }
}

async function execute(args: readonly string[], env: Environment, terminal: Terminal): Promise<void> {
  const help: string[] = [];
  try {
    await createProgram(env, terminal, help).parseAsync([...args], { from: 'user' });
  } catch (error) {
    // Commander ends --help by an error, too.
    if (!(error instanceof CommanderError) || error.exitCode !== EXIT_OK) throw error;
    await terminal.print(help.join('').trimEnd());
  }
}

function createProgram(env: Environment, terminal: Terminal, help: string[]): Command {
  const program = new Command('sluice')
    .description('The command line of Sluice.')
    .option('--url <url>', 'base URL (SLUICE_URL, else the development server)')
    .option('--access-token <token>', 'access token of a sandbox (SLUICE_ACCESS_TOKEN)')
    .option('--api-key <key>', 'key for reading and storing (SLUICE_API_KEY)')
    .option('--admin-key <key>', 'key of an administrator (SLUICE_ADMIN_KEY)')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', `\nSettings:\n${settingsHelp()}`)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void help.push(text),
      writeErr: (text) => terminal.complain(text.trimEnd()),
      outputError: (text) => terminal.complain(`sluice: ${oneLine(text.replace(/^error: /, ''))}`),
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
    .action((options: MintOptions) => mintToken(context(), options));

  program
    .command('tail')
    .summary('print events as they come')
    .description('Print events as they come. Lists are separated by commas, or the option is repeated.')
    .addOption(
      new Option('--family <families>', `only events of these families (${EVENT_FAMILIES.join(', ')})`).argParser(
        families,
      ),
    )
    .option('--entity <ids>', 'only events about these', list)
    .option('--type, --types <types>', 'only these types, or prefixes such as execution.*', list)
    .option('--cursor <cursor>', 'where to start: a cursor, earliest or latest', 'latest')
    .option('--workspace <number>', 'workspace; by default that of your key', wholeNumber)
    .option('--json', 'print each event as one line of JSON')
    .action((options: TailOptions) => tail(context(), options));

  program
    .command('send')
    .description('store one event')
    .requiredOption('--type <type>', 'type of the event')
    .option('--sandbox <id>', 'the sandbox; by default that of your access token')
    .option('--data <json>', 'a JSON object, or - for standard input')
    .option('--workspace <number>', 'workspace; by default that of your key', wholeNumber)
    .option('--idempotency-key <key>', 'sent again with the same key, the event is stored once')
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

  addMaintenanceCommands(program, context);

  const chains = program
    .command('chains')
    .summary('tell how far the watched chains are; check and resume them')
    .description('Tell how far the watched chains are.')
    .option('--json', 'print each chain as one line of JSON')
    .action((options: ListChainsOptions) => listChains(context(), options));
  chains
    .command('check')
    .summary('check a file of chains')
    .description('Check a file of chains, and ask the endpoints in it. It needs no server.')
    .option('--file <path>', 'the file; by default that of SLUICE_CHAINS_FILE')
    .option('--chain <id>', 'only this chain', wholeNumber)
    .option('--json', 'print what was found of each chain as one line of JSON')
    .action((_options: CheckChainsOptions, command: Command) => {
      const { file, ...options } = command.optsWithGlobals<CheckChainsOptions>();
      return checkChains(terminal, file ?? chainsFileOf(env), options, mayColourOf(env));
    });
  chains
    .command('accept-reorg')
    .description('agree that a halted chain is undone beyond its finality; for operators')
    .argument('<chainId>', 'id of the chain')
    .action((chainId: string) => acceptReorg(context(), chainId));

  program
    .command('check-config')
    .description('check this environment against the settings of an app, or of all')
    .argument('[app]', 'name of the app')
    .action((app: string | undefined) => checkConfig(terminal, APPS_FOLDER, app));

  return program;
}

function settingsHelp(): string {
  const names = Object.entries(CLI_SETTINGS);
  const width = Math.max(...names.map(([name]) => name.length));
  return names.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`).join('\n');
}

function oneLine(text: string): string {
  return printable(text.trim().replaceAll(/\s+/g, ' '));
}
