import { durableLogCheck, readModelCheck, type AppHost, type AppPart } from '@sluice/engine';
import { SYSTEM_CLOCK, type Clock } from './clock';
import type { ResponderConfig, WorkspaceConfig } from './config';
import { workspaceOperations } from './http/operations';
import { BuiltInResponder } from './runs/built-in-responder';
import { HttpResponder } from './runs/http-responder';
import type { Responder, ScriptRunner } from './runs/responder';
import { createWorkspaceSignals } from './signals';
import { WorkspaceModule } from './workspace.module';
import { createWorkspaceRuntime, workersOf, type WorkspacePorts } from './workspace-runtime';

/** What a process may bring in place of what is built in. */
export interface WorkspaceExtensions {
  readonly responder?: Responder;
  /** Without one, script jobs are refused. */
  readonly scripts?: ScriptRunner;
  readonly clock?: Clock;
}

/** The workspace app as a part of a process. */
export async function createWorkspacePart(
  host: AppHost,
  config: WorkspaceConfig,
  extensions: WorkspaceExtensions = {},
): Promise<AppPart> {
  const { engine } = host;
  const ports: WorkspacePorts = {
    config,
    log: await engine.durableLog(),
    feed: await host.feed(),
    reader: await engine.readModel(),
    documents: await engine.workspaceDocuments(),
    responder: extensions.responder ?? responderOf(config.responder),
    scripts: extensions.scripts,
    clock: extensions.clock ?? SYSTEM_CLOCK,
    signals: createWorkspaceSignals(host.metrics, host.logger),
  };
  const runtime = createWorkspaceRuntime(ports);
  return {
    name: 'workspace',
    module: WorkspaceModule.register(ports, runtime, await host.gatekeeper()),
    workers: workersOf(runtime, ports),
    checks: [await durableLogCheck(engine), await readModelCheck(engine)],
    operations: workspaceOperations,
  };
}

function responderOf({ url, ...config }: ResponderConfig): Responder {
  return url === undefined ? new BuiltInResponder() : new HttpResponder(url, config);
}
