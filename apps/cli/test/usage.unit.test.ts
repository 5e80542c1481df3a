import { run } from './test-terminal';

describe('usage', () => {
  it.each([
    [['key', 'create'], '--workspace'],
    [['key', 'create', '--workspace', 'x'], 'whole number'],
    [['key', 'create', '--workspace', '1', '--role', 'operator'], 'reader, writer, admin'],
    [['token', 'mint', '--workspace', '1'], '--sandbox'],
    [['nonsense'], 'nonsense'],
    [['lag', 'more'], 'too many'],
    [['lag', '--wrong'], '--wrong'],
    // Commander would add a second line with what was meant.
    [['key', 'create', '--workspac', '1'], '--workspace'],
    [['lag', '--\u001b[2J'], '\\u{1b}'],
    [['tail', '--types', 'a,'], 'separated by commas'],
    [['tail', '--family', 'boxes'], 'sandbox, registry, session, workspace'],
    [['check-config', '../query'], 'No app'],
    [['rebuild', 'nonsense'], 'too many'],
    [['chains', 'nonsense'], 'too many'],
    [['chains', 'check'], 'SLUICE_CHAINS_FILE'],
    [['chains', 'check', '--chain', 'base'], 'whole number'],
    [['chains', 'accept-reorg'], 'chainId'],
  ])('%j is wrong usage, told in one line', async (args, words) => {
    const { exitCode, out, errors } = await run(args);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: [] });
    expect(errors).toEqual([expect.stringMatching(/^sluice: \P{Cc}+$/u)]);
    expect(errors[0]).toContain(words);
  });

  it.each([
    [[], 'check-config'],
    [[], 'SLUICE_ADMIN_KEY  '],
    [['key'], 'revoke'],
    [['key', 'create'], '--role <role>'],
    [['key', 'list'], '--workspace <number>'],
    [['key', 'revoke'], '<keyId>'],
    [['token', 'mint'], '--ttl <seconds>'],
    [['tail'], '--cursor <cursor>'],
    [['send'], '--idempotency-key <key>'],
    [['parked', 'list'], '--workspace <number>'],
    [['parked', 'replay'], '--all'],
    [['lag'], '--admin-key <key>'],
    [['check-config'], '[app]'],
    [['rebuild'], '--renumber'],
    [['rebuild', 'abort'], 'under way'],
    [['chains'], 'accept-reorg'],
    [['chains', 'check'], '--file <path>'],
    [['chains', 'accept-reorg'], '<chainId>'],
  ])('%j --help is no fault', async (args, words) => {
    const { exitCode, out, errors } = await run([...args, '--help']);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: [] });
    expect(out.join('\n')).toContain(words);
  });
});
