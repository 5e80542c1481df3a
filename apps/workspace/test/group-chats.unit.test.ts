import { TestResponder } from './test-responder';
import { startWorkspace, until, type WorkspaceService } from './workspace-service';

let service: WorkspaceService;
const responder = new TestResponder();
beforeAll(async () => {
  service = await startWorkspace({ responder });
});
afterAll(() => service.stop());

const MEMBERS = [
  { type: 'human', member_id: 'ada', role: 'owner' },
  { type: 'agent', member_id: 'CLAUDE_CODE', display_name: 'Claude' },
  { type: 'agent', member_id: 'AMP' },
];

async function openChat(settings: object = {}, members: object[] = MEMBERS) {
  const chat = { workspace_path: '/p', name: 'Team', created_by: 'ada', settings, members };
  const made = await service.call('POST', '/api/group-chats', chat);
  const { id } = made.body.group_chat;
  const session = (await service.call('POST', `/api/group-chats/${id}/sessions`, { title: 'One' })).body;
  const messages = `/api/group-chats/${id}/sessions/${session.id}/messages`;
  return {
    made,
    id,
    session,
    messages,
    in: (event: { data: Record<string, unknown> }) => event.data['group_chat_id'] === id,
  };
}

const answersTo = (messageId: string, type: 'group_chat_agent_response' | 'group_chat_agent_error', count: number) =>
  until(() => {
    const answers = service.events(type).filter(({ data }) => data['in_reply_to'] === messageId);
    return answers.length === count ? answers : undefined;
  });

it('makes a group chat with its members and tells of each', async () => {
  const { made, id, in: isIn } = await openChat();
  expect(made.status).toBe(201);
  expect(made.body.group_chat).toEqual({
    id,
    name: 'Team',
    description: '',
    created_by: 'ada',
    created_at: expect.any(String),
    updated_at: expect.any(String),
    settings: { broadcast_mode: 'all', show_thinking: true, history_limit: 10 },
    workspace_path: '/p',
    is_global: false,
  });
  expect(made.body.members[1]).toEqual({
    id: `${id}/CLAUDE_CODE`,
    member_type: 'agent',
    member_id: 'CLAUDE_CODE',
    display_name: 'Claude',
    role: 'member',
    model: null,
    joined_at: expect.any(String),
    last_seen_at: null,
  });
  expect((await service.call('GET', `/api/group-chats/${id}`)).body).toEqual(made.body);
  const types = service
    .events()
    .filter(isIn)
    .map(({ type }) => type);
  expect(types).toEqual([
    'group_chat_created',
    ...MEMBERS.map(() => 'group_chat_member_joined'),
    'group_chat_session_created',
  ]);
});

it('lets all agents think and answer', async () => {
  const { messages, in: isIn } = await openChat();
  const said = await service.call('POST', messages, { content: 'Hello', sender_id: 'ada', sender_name: 'Ada' });
  expect(said.status).toBe(201);
  expect(said.body.message).toMatchObject({ type: 'user', content: 'Hello', sender_id: 'ada', sender_name: 'Ada' });
  expect(said.body.agents_triggered).toEqual(['CLAUDE_CODE', 'AMP']);
  const answers = await answersTo(said.body.message.id, 'group_chat_agent_response', 2);
  expect(answers.map(({ data }) => data['content']).sort()).toEqual([
    'AMP received: Hello',
    'CLAUDE_CODE received: Hello',
  ]);
  const types = service
    .events()
    .filter(isIn)
    .map(({ type }) => type)
    .slice(-5);
  expect(types).toEqual([
    'group_chat_message',
    'group_chat_agent_thinking',
    'group_chat_agent_thinking',
    'group_chat_agent_response',
    'group_chat_agent_response',
  ]);
  const shown = await until(async () => {
    const { body } = await service.call('GET', messages);
    return body.messages.length === 3 ? body.messages : undefined;
  });
  expect(shown[0]).toEqual(said.body.message);
  expect(shown[1]).toMatchObject({ type: 'agent', in_reply_to: said.body.message.id });
});

it('lets only those answer that are mentioned, where that is the rule', async () => {
  const { messages } = await openChat({ broadcast_mode: 'mention_only' });
  const triggered = async (content: string) =>
    (await service.call('POST', messages, { content, sender_id: 'ada' })).body.agents_triggered;
  expect(await triggered('nobody in particular')).toEqual([]);
  expect(await triggered('@claude, please')).toEqual(['CLAUDE_CODE']);
  expect(await triggered('@AMPERE and @amp-x')).toEqual([]);
  expect(await triggered('all of you: @amp! @CLAUDE_CODE')).toEqual(['CLAUDE_CODE', 'AMP']);
});

it('tells of an agent that fails and of an executor that nobody knows', async () => {
  const { messages } = await openChat({}, [
    { type: 'agent', member_id: 'AMP' },
    { type: 'executor', member_id: 'nobody' },
  ]);
  const said = await service.call('POST', messages, { content: 'fail: tired', sender_id: 'ada' });
  const failed = await answersTo(said.body.message.id, 'group_chat_agent_error', 2);
  expect(failed.map(({ data }) => data['error']).sort()).toEqual(['Unknown executor: nobody', 'tired']);
});

it('shows an agent the newest messages, at most its limit', async () => {
  const { messages } = await openChat({ history_limit: 2, broadcast_mode: 'mention_only' });
  const say = async (content: string) =>
    (await service.call('POST', messages, { content, sender_id: 'ada' })).body.message;
  await say('one');
  const two = await say('two @AMP');
  await answersTo(two.id, 'group_chat_agent_response', 1);
  await until(async () => (await service.call('GET', messages)).body.messages.length === 3 || undefined);
  await say('three @AMP');
  const asked = await until(() => responder.asked.find(({ prompt }) => prompt === 'three @AMP'));
  expect(asked.history).toEqual([
    { role: 'user', name: 'ada', content: 'two @AMP' },
    { role: 'assistant', name: 'AMP', content: 'AMP received: two @AMP' },
  ]);
  const view = await service.call('GET', `${messages}?view=agent&agent_id=CLAUDE_CODE&limit=50`);
  expect(view.body.messages).toHaveLength(2);
  expect((await service.call('GET', `${messages}?view=agent`)).status).toBe(400);
  expect((await service.call('GET', `${messages}?view=agent&agent_id=ada`)).status).toBe(404);
});

it('pages messages from the newest back', async () => {
  const { messages } = await openChat({ broadcast_mode: 'mention_only' });
  for (const content of ['1', '2', '3']) await service.call('POST', messages, { content, sender_id: 'ada' });
  const contents = (body: { messages: { content: string }[] }) => body.messages.map(({ content }) => content);
  const newest = (await service.call('GET', `${messages}?limit=2`)).body;
  expect(contents(newest)).toEqual(['2', '3']);
  expect(contents((await service.call('GET', `${messages}?limit=2&cursor=${newest.next_cursor}`)).body)).toEqual(['1']);
});

it('changes settings by what is given, adds and removes members, and deletes all at once', async () => {
  const { id, session, messages } = await openChat();
  const path = `/api/group-chats/${id}`;
  const patched = await service.call('PATCH', path, { name: 'Other', settings: { history_limit: 3 } });
  expect(patched.body.group_chat).toMatchObject({
    name: 'Other',
    settings: { broadcast_mode: 'all', show_thinking: true, history_limit: 3 },
  });
  const joined = await service.call('POST', `${path}/members`, { type: 'agent', member_id: 'GEMINI' });
  expect([joined.status, joined.body.member_id]).toEqual([201, 'GEMINI']);
  expect((await service.call('POST', `${path}/members`, { type: 'agent', member_id: 'GEMINI' })).status).toBe(409);
  expect((await service.call('DELETE', `${path}/members/AMP`)).body).toEqual({ deleted: 'AMP' });
  expect((await service.call('DELETE', `${path}/members/AMP`)).status).toBe(404);
  const { members } = (await service.call('GET', `${path}/members`)).body;
  expect(members.map(({ member_id }: { member_id: string }) => member_id)).toEqual(['ada', 'CLAUDE_CODE', 'GEMINI']);
  expect((await service.call('GET', `${path}/sessions`)).body.sessions).toEqual([session]);
  expect((await service.call('DELETE', path)).body).toEqual({ deleted: id });
  for (const gone of [path, `${path}/sessions`, messages]) expect((await service.call('GET', gone)).status).toBe(404);
  expect((await service.call('POST', messages, { content: 'x', sender_id: 'ada' })).status).toBe(404);
});

it('lists group chats by path and maker', async () => {
  const key = await service.key(9);
  const make = (body: object) => service.call('POST', '/api/group-chats', body, { key });
  await make({ name: 'a', workspace_path: '/a', created_by: 'ada' });
  await make({ name: 'b', workspace_path: '/b', created_by: 'bob' });
  await make({ name: 'all', workspace_path: '', created_by: 'ada', is_global: true });
  const names = async (query: string) =>
    (await service.call('GET', `/api/group-chats?${query}`, undefined, { key })).body.group_chats.map(
      ({ name }: { name: string }) => name,
    );
  expect(await names('')).toEqual(['a', 'b', 'all']);
  expect(await names('workspace_path=/a')).toEqual(['a', 'all']);
  expect(await names('workspace_path=/a&include_global=false')).toEqual(['a']);
  expect(await names('created_by=bob')).toEqual(['b']);
});
