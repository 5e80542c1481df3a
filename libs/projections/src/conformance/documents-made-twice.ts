import type { EncodedEnvelope } from '@sluice/event-schema';
import type { WorkspaceDocumentKind } from '../workspace/documents';
import type { CurrentHarness } from './harness';
import * as sample from './sample-data';
import { workspaceEnvelope as event } from './workspace-envelope';

interface Creation {
  readonly kind: WorkspaceDocumentKind;
  readonly id: string;
  /** What makes its owner, if it has one. */
  readonly owner?: () => EncodedEnvelope;
  /** Makes it, with a text by which creations are told apart. */
  readonly create: (text: string) => EncodedEnvelope;
}

const owner = () => event('group_chat_created', sample.groupChat('g'));
const joined = (display_name: string) => {
  const { member, ...rest } = sample.member('g', 'CODEX');
  return event('group_chat_member_joined', { ...rest, member: { ...member, display_name } });
};

const CREATIONS: readonly Creation[] = [
  { kind: 'task', id: 'x', create: (title) => event('task_created', { ...sample.task('x'), title }) },
  {
    kind: 'session',
    id: 'x',
    create: (title) => event('session_created', { session_id: 'x', title, status: 'active' }),
  },
  { kind: 'group_chat', id: 'x', create: (name) => event('group_chat_created', { ...sample.groupChat('x'), name }) },
  { kind: 'group_chat_member', id: 'g/CODEX', owner, create: joined },
  {
    kind: 'group_chat_session',
    id: 'x',
    owner,
    create: (title) => event('group_chat_session_created', { ...sample.groupSession('g', 'x'), title }),
  },
  { kind: 'cron_job', id: 'x', create: (name) => event('cron_job_created', { job: { ...sample.cronJob('x'), name } }) },
];

/** Of two writers that make one thing at a time, who is recorded first makes it. */
export function describeDocumentsMadeTwice(current: CurrentHarness): void {
  describe.each(CREATIONS)('a $kind that is made twice', ({ kind, id, owner, create }) => {
    it.each(['in one batch', 'in batches of one'])('stays what it was made first, %s', async (how) => {
      const { documents, record } = current();
      const owners = owner ? [owner()] : [];
      await record([...owners, create('first')]);
      const made = await documents.find(1, kind, id);
      expect(JSON.stringify(made)).toContain('first');
      const more = [create('second'), create('third')];
      if (how === 'in one batch') await record(more);
      else for (const envelope of more) await record([envelope]);
      expect(await documents.find(1, kind, id)).toEqual(made);
    });

    it('stays what it was made first where all is in one batch', async () => {
      const { documents, record } = current();
      await record([...(owner ? [owner()] : []), create('first'), create('second')]);
      expect(JSON.stringify(await documents.find(1, kind, id))).toContain('first');
    });
  });

  it('makes a document by its first creation after its owner, in one batch', async () => {
    const { documents, record } = current();
    await record([joined('before its owner'), owner(), joined('first'), joined('second')]);
    const first = { fields: { display_name: 'first' }, createdPosition: 3, lastPosition: 3 };
    expect(await documents.find(1, 'group_chat_member', 'g/CODEX')).toMatchObject(first);
    await record([joined('third'), owner(), joined('fourth')]);
    expect(await documents.find(1, 'group_chat_member', 'g/CODEX')).toMatchObject(first);
  });

  it('keeps what changed since it was made, and lets it change on', async () => {
    const { documents, record } = current();
    const made = (title: string) => event('task_created', { ...sample.task('t'), title });
    await record([made('first'), event('task_updated', { task_id: 't', description: 'known' })]);
    await record([
      event('task_updated', { task_id: 't', prompt: 'before' }),
      made('second'),
      event('task_updated', { task_id: 't', priority: 'high' }),
    ]);
    expect(await documents.find(1, 'task', 't')).toMatchObject({
      fields: { ...sample.task('t'), title: 'first', description: 'known', prompt: 'before', priority: 'high' },
      createdPosition: 1,
      lastPosition: 5,
    });
    await record([event('task_updated', { task_id: 't', title: 'renamed' }), made('third')]);
    expect(await documents.find(1, 'task', 't')).toMatchObject({ fields: { title: 'renamed' }, lastPosition: 6 });
  });
}
