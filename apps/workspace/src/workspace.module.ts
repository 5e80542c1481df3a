import { Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { HttpGatekeeper } from '@sluice/engine';
import type { FastifyInstance } from 'fastify';
import { AgentCommands } from './agents/agent-commands';
import { CronCommands } from './cron/cron-commands';
import { GroupChatCommands } from './group-chats/group-chat-commands';
import { GroupMessages } from './group-chats/group-messages';
import { openAgents } from './http/agent-routes';
import { openCron } from './http/cron-routes';
import { openGroupChats } from './http/group-chat-routes';
import { openGroupMessages } from './http/group-message-routes';
import { openSessions } from './http/session-routes';
import { openTasks } from './http/task-routes';
import { WorkspaceDoor } from './http/workspace-door';
import { SessionCommands } from './sessions/session-commands';
import { TaskCommands } from './tasks/task-commands';
import { GATEKEEPER } from './tokens';
import type { WorkspacePorts, WorkspaceRuntime } from './workspace-runtime';

/** Everything that this app is made of, but its loops. */
@Module({})
export class WorkspaceModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Inject(GATEKEEPER) private readonly gatekeeper: HttpGatekeeper,
    private readonly tasks: TaskCommands,
    private readonly sessions: SessionCommands,
    private readonly agents: AgentCommands,
    private readonly groupChats: GroupChatCommands,
    private readonly groupMessages: GroupMessages,
    private readonly cron: CronCommands,
  ) {}

  static register(ports: WorkspacePorts, runtime: WorkspaceRuntime, gatekeeper: HttpGatekeeper): DynamicModule {
    const { documents, responder, clock, config } = ports;
    const { journal, commands, executor, claims, rescheduler, cronRuns } = runtime;
    const { timeoutMs: runTimeoutMs } = config.runs;
    return {
      module: WorkspaceModule,
      providers: [
        { provide: GATEKEEPER, useValue: gatekeeper },
        { provide: TaskCommands, useFactory: () => new TaskCommands(journal, documents, commands) },
        {
          provide: SessionCommands,
          useFactory: () => new SessionCommands(journal, documents, commands, executor, clock),
        },
        {
          provide: AgentCommands,
          inject: [SessionCommands],
          useFactory: (sessions: SessionCommands) =>
            new AgentCommands(journal, documents, commands, sessions, executor, responder, clock, runTimeoutMs),
        },
        { provide: GroupChatCommands, useFactory: () => new GroupChatCommands(journal, documents, commands) },
        {
          provide: GroupMessages,
          inject: [GroupChatCommands],
          useFactory: (chats: GroupChatCommands) =>
            new GroupMessages(journal, documents, commands, chats, executor, responder, clock, { runTimeoutMs }),
        },
        {
          provide: CronCommands,
          useFactory: () =>
            new CronCommands(journal, documents, commands, executor, claims, rescheduler, cronRuns, clock, config.cron),
        },
      ],
    };
  }

  /** Bare Fastify routes, made of the same tables that describe them. */
  onModuleInit(): void {
    const door = new WorkspaceDoor(this.adapterHost.httpAdapter.getInstance<FastifyInstance>(), this.gatekeeper);
    openTasks(door, this.tasks);
    openSessions(door, this.sessions);
    openAgents(door, this.agents);
    openGroupChats(door, this.groupChats);
    openGroupMessages(door, this.groupMessages);
    openCron(door, this.cron);
  }
}
