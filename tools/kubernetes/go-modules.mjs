import { run } from '../brokers/command.mjs';

const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

/**
 * The folder of a module, fetched by Go's own client.
 *
 * @param {string} module such as `k8s.io/kubernetes`
 * @param {string} version without the `v`
 * @throws Error where Go is missing or the module cannot be had
 */
export async function goModuleFolder(module, version) {
  const args = ['mod', 'download', '-json', `${module}@v${version}`];
  const { code, output } = await run('go', args, { timeoutMs: DOWNLOAD_TIMEOUT_MS });
  const [text] = /\{[\s\S]*\}/.exec(output) ?? [];
  const answer = text === undefined ? {} : JSON.parse(text);
  if (code !== 0 || answer.Dir === undefined) throw new Error(`${module}: ${answer.Error ?? output.trim()}`);
  return answer.Dir;
}
