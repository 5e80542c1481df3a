import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

it('has the bytecode that the contracts give', async () => {
  const script = join(__dirname, '..', 'build-contracts.mjs');

  await expect(promisify(execFile)(process.execPath, [script, '--check'])).resolves.toMatchObject({ stderr: '' });
});
