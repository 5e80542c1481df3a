import { EVENT_FAMILIES } from '@sluice/event-schema';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { abandonErasure, erase, printErasures, type EraseOptions } from './commands/erase';
import { abortRebuild, dropOldModel, printRebuild, startRebuild, type RebuildOptions } from './commands/rebuild';
import {
  listRetention,
  parseMaxAge,
  removeRetention,
  setRetention,
  type MaxAge,
  type RetentionOptions,
} from './commands/retention';
import type { CommandContext } from './context';
import { repeated, wholeNumber } from './option-values';

/** What operators do to what is kept: rebuilds, erasures, retention. */
export function addMaintenanceCommands(program: Command, context: () => CommandContext): void {
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
  const erasures = program
    .command('erasures')
    .description('tell how far erasures are, the newest first; for operators')
    .argument('[id]', 'only this one', wholeNumber)
    .action((erasureId: number | undefined) => printErasures(context(), erasureId));
  erasures
    .command('abandon')
    .summary('go no further with an erasure')
    .description('Go no further with an erasure. What it has erased stays erased; the rest, which is named, stays.')
    .argument('<id>', 'the erasure', wholeNumber)
    .action((erasureId: number) => abandonErasure(context(), erasureId));

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
