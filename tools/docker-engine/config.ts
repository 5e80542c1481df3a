/** What `cli.mjs check` tells its tests: addresses and keys of the stack, as the JSON of `dev.json`. */
export function stackOfTest(env: NodeJS.ProcessEnv = process.env): string {
  const text = env['SLUICE_TEST_STACK'];
  if (text === undefined) throw new Error('Run it by: node tools/docker-engine/cli.mjs check');
  return text;
}
