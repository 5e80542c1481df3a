import { EVENT_FAMILIES } from '@sluice/event-schema';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
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
import { erase, printErasures, type EraseOptions } from './commands/erase';
import { abortRebuild, dropOldModel, printRebuild, startRebuild, type RebuildOptions } from './commands/rebuild';
import {
  listRetention,
  parseMaxAge,
  removeRetention,
  setRetention,
  type MaxAge,
  type RetentionOptions,
} from './commands/retention';
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

  const rebuild = program
    .command('rebuild')
    .summary('rebuild the read model from the log, beside the live one')
    .description('Ask for a rebuild of the read model from the durable log; for operators. Readers and writers go on.')
    .option('--renumber', 'number the events anew: every cursor is answered by a reset')
    .option('--drop-old', 'drop the former model after the switch')
    .option('--wait', 'print how far it is, until it is done')
    .action((options: RebuildOptions) => startRebuild(context(), options));
  rebuild
    .command('status')
    .description('tell how far the newest rebuild is')
    .action(() => printRebuild(context()));
  rebuild
    .command('abort')
    .description('end the rebuild that is under way')
    .action(() => abortRebuild(context()));
  rebuild
    .command('drop-old')
    .description('drop the former model that a rebuild left')
    .action(() => dropOldModel(context()));

  program
    .command('erase')
    .summary('erase an entity, or fields of its events; for operators')
    .description('Erase what is kept of an entity, or of fields of its events, from everywhere. It cannot be undone.')
    .argument('<family/id>', 'the entity, for example sandbox/sandbox-123')
    .option('--workspace <number>', 'workspace of the entity; by default that of the development server', wholeNumber)
    .option('--field <pointer>', 'only this field, a JSON pointer into data; may be repeated', repeated)
    .option('--wait', 'print how far it is, until it is done')
    .action((entity: string, options: EraseOptions) => erase(context(), entity, options));
  program
    .command('erasures')
    .description('tell how far erasures are, the newest first; for operators')
    .argument('[id]', 'only this one', wholeNumber)
    .action((erasureId: number | undefined) => printErasures(context(), erasureId));

  const retention = program.command('retention').description('for how long events are kept; for operators');
  retention
    .command('list')
    .description('list the policies')
    .action(() => listRetention(context()));
  retention
    .command('set')
    .description('keep events of a family for so long, and remove what is older; it cannot be brought back')
    .addOption(familyOption())
    .requiredOption('--max-age <age>', 'an age such as 36h, 30d or 2y, or forever', maxAge)
    .option(
      '--workspace <number>',
      'only in this workspace; by default all that have no policy of their own',
      wholeNumber,
    )
    .action((options: RetentionOptions & { maxAge: MaxAge }) => setRetention(context(), options));
  retention
    .command('remove')
    .description('remove a policy: the default holds again, or events are kept for ever')
    .addOption(familyOption())
    .option('--workspace <number>', 'that of this workspace; by default the default', wholeNumber)
    .action((options: RetentionOptions) => removeRetention(context(), options));

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

function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('Give a whole number.');
  return Number(text);
}

function familyOption(): Option {
  return new Option('--family <family>', 'family of events').choices([...EVENT_FAMILIES]).makeOptionMandatory();
}

function maxAge(text: string): MaxAge {
  const age = parseMaxAge(text);
  if (age === undefined)
    throw new InvalidArgumentError('Give hours, days or years, such as 36h, 30d or 2y, or forever.');
  return age;
}

function list(value: string, previous: readonly string[] = []): readonly string[] {
  const items = value.split(',');
  if (items.includes('')) throw new InvalidArgumentError('Give one or more, separated by commas.');
  return [...previous, ...items];
}

/** An item may have commas of its own. */
function repeated(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

function families(value: string, previous?: readonly string[]): readonly string[] {
  const all = list(value, previous);
  if (all.every((item) => EVENT_FAMILIES.some((family) => family === item))) return all;
  throw new InvalidArgumentError(`Allowed are ${EVENT_FAMILIES.join(', ')}.`);
}

function oneLine(text: string): string {
  return printable(text.trim().replaceAll(/\s+/g, ' '));
}
