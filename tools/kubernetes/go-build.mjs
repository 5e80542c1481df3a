import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lastLines, run } from '../brokers/command.mjs';

/** A small machine takes ten minutes for the API server of Kubernetes. */
const BUILD_TIMEOUT_MS = 60 * 60_000;

/**
 * Builds a program that is in somebody else's module, from a module made for it beside the output.
 *
 * @param {string} folder
 * @param {{ output: string, main: string, goVersion: string | undefined, requirement: string, replacements?: string[],
 *   linked?: string[], tags?: string[] }} program what `tags` leave out is not fetched either
 * @throws Error with the last lines of what Go says
 */
export async function goBuild(folder, program) {
  const { output, main, goVersion, requirement, replacements = [], linked = [], tags = [] } = program;
  const moduleFolder = join(folder, 'module');
  await mkdir(moduleFolder);
  await writeFile(
    join(moduleFolder, 'go.mod'),
    [
      'module sluice.tools/build',
      `go ${goVersion}`,
      `require ${requirement}`,
      ...replacements.map((line) => `replace ${line}`),
      '',
    ].join('\n\n'),
  );
  // Names the program, so that `go mod tidy` keeps what it needs.
  await writeFile(join(moduleFolder, 'tools.go'), `//go:build tools\n\npackage tools\n\nimport _ "${main}"\n`);
  // `tidy` looks at all tags: what some leave out is resolved while it is built.
  const isTagged = tags.length > 0;
  for (const args of [
    ...(isTagged ? [] : [['mod', 'tidy']]),
    [
      'build',
      // One package at a time: this is done beside other work.
      ...['-p', '1', '-trimpath', `-ldflags=${linked.join(' ')}`],
      ...(isTagged ? ['-mod=mod', `-tags=${tags.join()}`] : []),
      ...['-o', join(folder, output), main],
    ],
  ]) {
    const { code, output: said } = await run('go', args, {
      timeoutMs: BUILD_TIMEOUT_MS,
      cwd: moduleFolder,
      env: { ...process.env, CGO_ENABLED: '0' },
    });
    if (code !== 0) throw new Error(`go ${args[0]} failed for ${main}:\n${lastLines(said, 15)}`);
  }
}
