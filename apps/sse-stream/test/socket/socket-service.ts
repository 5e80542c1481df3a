import { workspaceEntityId, type EncodedEnvelope } from '@sluice/event-schema';
import type { SocketLimits } from '../../src/socket/limits';
import { workspaceEvent } from '../events';
import { startStreams, type StreamService } from '../stream-service';
import { Refused, SocketClient, type SocketOpenOptions } from './socket-client';

export { OPERATOR_KEY, range, sandboxEvent, tokenUntil } from '../stream-service';

export interface SocketService extends StreamService {
  /** With a key of workspace 1, unless other credentials are given. */
  connect(path: string, options?: SocketOpenOptions): Promise<SocketClient>;
  /** The status and the body that a connection is refused with. */
  refusal(path: string, options?: SocketOpenOptions): Promise<{ status: number; code: string; where?: string }>;
}

/** The app with its sockets on a real port and the memory engine. Clients that it opened are gone when it is stopped. */
export async function startSockets(
  limits: Partial<SocketLimits> & { drainSpreadMs?: number } = {},
  env: NodeJS.ProcessEnv = {},
): Promise<SocketService> {
  const service = await startStreams({ ...limits }, env);
  const clients: SocketClient[] = [];
  const connect = async (path: string, options?: SocketOpenOptions) => {
    const credentials = options ?? { key: await service.key() };
    const client = await SocketClient.open(service.url, path, credentials);
    clients.push(client);
    return client;
  };
  return {
    ...service,
    connect,
    refusal: async (path, options) => {
      try {
        (await connect(path, options)).destroy();
      } catch (error) {
        if (error instanceof Refused) return { status: error.status, code: error.body?.code, where: error.body?.where };
        throw error;
      }
      throw new Error('it was let in');
    },
    stop: async () => {
      for (const client of clients) client.destroy();
      await service.stop();
      const misfits = clients.flatMap((client) => client.misfits);
      if (misfits.length > 0) throw new Error(`messages do not fit their schemas: ${String(misfits[0])}`);
    },
  };
}

/** A task that was created, as the workspace app appends it. */
export function taskCreated(taskId: string, workspaceId = 1, more: Record<string, unknown> = {}): EncodedEnvelope {
  const task = {
    task_id: taskId,
    title: `Task ${taskId}`,
    description: '',
    status: 'pending',
    agent_id: null,
    ...more,
  };
  return workspaceEvent('task_created', task, { workspaceId, entityId: workspaceEntityId('task', taskId) });
}

export function agentSpawned(sessionId: string): EncodedEnvelope {
  const spawned = { agent_id: 'CLAUDE_CODE', session_id: sessionId, workdir: '/work', deadline_at: 1 };
  return workspaceEvent('agent_spawned', spawned, { entityId: workspaceEntityId('session', sessionId) });
}
