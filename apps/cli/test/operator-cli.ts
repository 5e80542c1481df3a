import { scriptedServer, type Script, type ScriptedServer } from './scripted-server';
import { run } from './test-terminal';

/** The command line of an operator. Each test of the block that calls it says how the server answers. */
export class OperatorCli {
  script: Script = (_, response) => void response.destroy();
  private server: ScriptedServer | undefined;

  static ofEachTest(): OperatorCli {
    const cli = new OperatorCli();
    beforeEach(async () => {
      cli.server = await scriptedServer((request, response) => cli.script(request, response));
    });
    afterEach(() => cli.server?.close());
    return cli;
  }

  get seen(): ScriptedServer['seen'] {
    return this.started.seen;
  }

  /** Runs a command to its end. */
  run(...args: readonly string[]): ReturnType<typeof run> {
    return run(args, { SLUICE_URL: this.started.url, SLUICE_ADMIN_KEY: 'sk_operator' });
  }

  private get started(): ScriptedServer {
    if (!this.server) throw new Error('no server outside of a test');
    return this.server;
  }
}

/** What the command line prints for a value. */
export const line = (value: unknown) => JSON.stringify(value);
