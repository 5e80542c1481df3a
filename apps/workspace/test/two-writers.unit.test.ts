import { AgentCommands } from '../src/agents/agent-commands';
import { CronCommands } from '../src/cron/cron-commands';
import { newCronJobSchema } from '../src/cron/cron-job';
import { GroupChatCommands } from '../src/group-chats/group-chat-commands';
import { newGroupChatSchema, newMemberSchema } from '../src/group-chats/group-chat';
import { commandIdOf, type CommandScope } from '../src/journal/command-scope';
import { SessionCommands } from '../src/sessions/session-commands';
import { Replicas, type Replica } from './replicas';
import { TestResponder } from './test-responder';
import { until } from './workspace-service';

const RUN_TIMEOUT_MS = 60_000;
const scope: CommandScope = { workspaceId: 1 };
const keyed = (key: string): CommandScope => ({ workspaceId: 1, key, commandId: commandIdOf(1, key, key) });
const conflict = { code: 'conflict' };

/** Replicas whose commands meet: what `log.before` of one does is on record before that one's own event. */
let replicas: Replicas;
let a: Awaited<ReturnType<typeof commandsOf>>;
let b: typeof a;
const responder = new TestResponder();

beforeEach(async () => {
  replicas = await Replicas.open();
  [a, b] = [
    await commandsOf(await replicas.start({ responder })),
    await commandsOf(await replicas.start({ responder })),
  ];
});
afterEach(async () => {
  await Promise.all([a, b].map(({ replica }) => replica.executor.stop()));
  await replicas.close();
});

async function commandsOf(replica: Replica) {
  const { journal, commands, executor, claims, rescheduler, cronRuns } = replica;
  const documents = await replicas.engine.workspaceDocuments();
  const { clock } = replicas;
  const sessions = new SessionCommands(journal, documents, commands, executor, clock);
  return {
    replica,
    documents,
    sessions,
    agents: new AgentCommands(journal, documents, commands, sessions, executor, responder, clock, RUN_TIMEOUT_MS),
    chats: new GroupChatCommands(journal, documents, commands),
    cron: new CronCommands(journal, documents, commands, executor, claims, rescheduler, cronRuns, clock, {
      jobsPerWorkspace: 100,
    }),
  };
}

const spawn = (by: typeof a, prompt: string, session_id = 's', as = scope) =>
  by.agents.spawn(as, 'AMP', { prompt, workdir: '.', session_id });

const runs = () => replicas.recorded('agent_spawned', 'agent_completed', 'agent_error').map(({ type }) => type);
const asked = (prompt: string) => responder.asked.filter((each) => each.prompt === prompt).length;
const isIdle = () => until(async () => (await a.documents.find(1, 'run', 's')) === undefined || undefined);

describe('a thing that is made by two replicas at the same time', () => {
  it('is the session that is recorded first; the other one is told', async () => {
    a.replica.log.before = () => b.sessions.create(scope, { id: 's', title: 'first' });
    await expect(a.sessions.create(scope, { id: 's', title: 'second' })).rejects.toMatchObject(conflict);
    expect((await a.sessions.get(1, 's')).title).toBe('first');
  });

  it('is told again where the creation is repeated with its key', async () => {
    a.replica.log.before = () => b.sessions.create(keyed('b'), { id: 's', title: 'first' });
    const create = () => a.sessions.create(keyed('a'), { id: 's', title: 'second' });
    await expect(create()).rejects.toMatchObject(conflict);
    await expect(create()).rejects.toMatchObject(conflict);
    const { value } = await b.sessions.create(keyed('b'), { id: 's', title: 'first' });
    expect(value.title).toBe('first');
  });

  it('is the cron job that is recorded first; the other one is told, or has another id where it named none', async () => {
    const job = (more: object) => newCronJobSchema.parse({ name: 'Nightly', every: 100, ...more });
    a.replica.log.before = () => b.cron.create(scope, job({ id: 'x', message: 'first' }));
    await expect(a.cron.create(scope, job({ id: 'x', message: 'second' }))).rejects.toMatchObject(conflict);
    expect((await a.cron.get(1, 'x')).message).toBe('first');

    a.replica.log.before = () => b.cron.create(scope, job({ message: 'first' }));
    const { value } = await a.cron.create(scope, job({ message: 'second' }));
    expect([value.id.startsWith('nightly-'), value.message]).toEqual([true, 'second']);
    expect((await a.cron.get(1, 'nightly')).message).toBe('first');

    a.replica.log.before = () => b.cron.create(scope, job({ name: 'Weekly', message: 'first' }));
    const create = () => a.cron.create(keyed('c'), job({ name: 'Weekly', message: 'second' }));
    await expect(create()).rejects.toMatchObject(conflict);
    await expect(create()).rejects.toMatchObject(conflict);
    expect((await a.cron.get(1, 'weekly')).message).toBe('first');
  });

  it('is the member that is recorded first; the other one is told', async () => {
    const chat = (await a.chats.create(scope, newGroupChatSchema.parse({ name: 'g' }))).value.group_chat.id;
    const member = (display_name: string) => newMemberSchema.parse({ type: 'agent', member_id: 'm', display_name });
    a.replica.log.before = () => b.chats.addMember(scope, chat, member('first'));
    await expect(a.chats.addMember(scope, chat, member('second'))).rejects.toMatchObject(conflict);
    expect((await a.chats.get(1, chat)).members.map(({ display_name }) => display_name)).toEqual(['first']);
  });
});

describe('one session into which two replicas spawn', () => {
  it.each(['that is new', 'that exists'])('has one run, and the other one is told: one %s', async (which) => {
    if (which === 'that exists') await a.sessions.create(scope, { id: 's' });
    a.replica.log.before = () => spawn(b, `wait first ${which}`);
    await expect(spawn(a, `wait second ${which}`)).rejects.toMatchObject(conflict);
    await b.agents.stop(scope, 'AMP', 's');
    expect(runs()).toEqual(['agent_spawned', 'agent_completed']);
    expect(asked(`wait second ${which}`)).toBe(0);
  });

  it('has one run where the first is over when the second is recorded', async () => {
    a.replica.log.before = async () => {
      await spawn(b, 'quick');
      await isIdle();
    };
    await expect(spawn(a, 'late')).rejects.toMatchObject(conflict);
    expect([runs(), asked('late')]).toEqual([['agent_spawned', 'agent_completed'], 0]);
  });

  it('has the run that is recorded first where the session changed in between', async () => {
    await a.sessions.create(scope, { id: 's' });
    a.replica.log.before = async () => {
      await b.sessions.update(scope, 's', { title: 'changed' });
      await spawn(b, 'wait first of a changed one');
    };
    await expect(spawn(a, 'second of a changed one')).rejects.toMatchObject(conflict);
    expect(asked('second of a changed one')).toBe(0);
    await b.agents.stop(scope, 'AMP', 's');
    expect(await a.documents.find(1, 'run', 's')).toBeUndefined();
  });

  it('tells a repeated command what the first was told', async () => {
    const winner = () => spawn(b, 'wait with a key', 's', keyed('b'));
    const loser = () => spawn(a, 'second with a key', 's', keyed('a'));
    a.replica.log.before = winner;
    await expect(loser()).rejects.toMatchObject(conflict);
    await expect(loser()).rejects.toMatchObject(conflict);
    expect((await winner()).value).toEqual({ sessionId: 's' });
    await b.agents.stop(scope, 'AMP', 's');
    expect((await winner()).value).toEqual({ sessionId: 's' });
    await expect(loser()).rejects.toMatchObject(conflict);
    expect([runs(), asked('wait with a key')]).toEqual([['agent_spawned', 'agent_completed'], 1]);
  });

  it('takes one spawn after the other, also when it was deleted in between', async () => {
    const spawnAndWait = async (by: typeof a) => {
      replicas.clock.nowMs++;
      await spawn(by, 'one of them');
      await isIdle();
    };
    for (const by of [a, b, a]) await spawnAndWait(by);
    await a.sessions.delete(scope, 's');
    for (const by of [b, b, a]) {
      await spawnAndWait(by);
      await a.sessions.delete(scope, 's');
    }
    expect(replicas.recorded('agent_spawned')).toHaveLength(6);
  });

  it('runs once what two replicas are told to do by one command', async () => {
    const command = (by: typeof a) => spawn(by, 'once for both', 's', keyed('both'));
    a.replica.log.before = () => command(b);
    expect((await command(a)).value).toEqual({ sessionId: 's' });
    await isIdle();
    expect([runs(), asked('once for both')]).toEqual([['agent_spawned', 'agent_completed'], 1]);
  });
});
