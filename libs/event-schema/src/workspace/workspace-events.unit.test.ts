import fc from 'fast-check';
import { HOSTILE_NAMES, safeName } from '../../test/arbitraries';
import { CRON_JOB, WORKSPACE_SAMPLES } from '../../test/workspace-samples';
import { eventCatalogue } from '../catalogue/event-catalogue';
import { entityIdSchema, safeNameSchema } from '../envelope';
import { WORKSPACE_CHANNELS, workspaceChannel } from './channels';
import { cronJobSchema } from './cron-data';
import {
  MAX_WORKSPACE_OBJECT_ID_LENGTH,
  WORKSPACE_ENTITY_KINDS,
  workspaceEntityId,
  workspaceObjectIdSchema,
} from './entities';
import { DOCUMENTED_WORKSPACE_EVENTS, WORKSPACE_EVENT_TYPES, workspaceDocumentName } from './event-types';
import { MAX_WORKSPACE_PATH_LENGTH, MAX_WORKSPACE_TEXT_LENGTH, MAX_WORKSPACE_TITLE_LENGTH } from './fields';
import { SESSION_STATUSES } from './session-data';
import { TASK_STATUSES } from './task-data';
import { workspaceEventDataSchema } from './workspace-data';

/** Fields that events of a type may leave out, beside all those of an update but its first. */
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  task_created: [
    ...['prompt', 'priority', 'creator', 'assignee', 'session_id', 'workspace_path', 'executor', 'branch'],
    'base_branch',
  ],
  agent_spawned: ['prompt'],
  session_created: ['agent_id', 'title', 'workdir'],
  cron_job_completed: ['output'],
};

describe('the workspace family', () => {
  it('knows every type, with a description, and no other', () => {
    const known = eventCatalogue.all().filter(({ family }) => family === 'workspace');
    expect(known.map(({ type }) => type)).toEqual([...WORKSPACE_EVENT_TYPES]);
    for (const { version, description } of known)
      expect([version, description]).toEqual([1, expect.stringMatching(/\.$/)]);
  });

  it('has every event that the document of the event stream lists', () => {
    const names = WORKSPACE_EVENT_TYPES.map(workspaceDocumentName);
    expect(DOCUMENTED_WORKSPACE_EVENTS).toHaveLength(13);
    for (const name of DOCUMENTED_WORKSPACE_EVENTS) expect(names).toContain(name);
    expect(new Set(names).size).toBe(WORKSPACE_EVENT_TYPES.length);
  });

  it.each(WORKSPACE_EVENT_TYPES)('takes the data of %s, and requires what is not optional', (type) => {
    const schema = workspaceEventDataSchema(type);
    const data: Record<string, unknown> = WORKSPACE_SAMPLES[type];
    expect(schema.parse(data)).toEqual(data);
    for (const field of Object.keys(data)) {
      const { [field]: _removed, ...rest } = data;
      const isOwn = field === Object.keys(data)[0];
      const isOptional = type.endsWith('_updated') ? !isOwn : OPTIONAL[type]?.includes(field) === true;
      expect([field, schema.safeParse(rest).success]).toEqual([field, isOptional]);
    }
  });

  it.each(WORKSPACE_EVENT_TYPES)(
    'takes no field of %s that would stand in the place of another in its payload',
    (type) => {
      for (const field of ['type', 'timestamp', '__proto__', 'extra']) {
        const data = JSON.parse(
          `{${JSON.stringify(field)}:1,${JSON.stringify(WORKSPACE_SAMPLES[type]).slice(1)}`,
        ) as unknown;
        expect([field, workspaceEventDataSchema(type).safeParse(data).success]).toEqual([field, false]);
      }
    },
  );

  it.each(WORKSPACE_EVENT_TYPES)('takes no id of %s that would end a line', (type) => {
    const data: Record<string, unknown> = WORKSPACE_SAMPLES[type];
    const ids = Object.keys(data).filter((field) => field.endsWith('_id') || field === 'in_reply_to');
    for (const field of ids) {
      for (const name of HOSTILE_NAMES) {
        const isTaken = workspaceEventDataSchema(type).safeParse({ ...data, [field]: name }).success;
        expect([field, name, isTaken]).toEqual([field, name, false]);
      }
    }
  });

  it('takes any text in titles, prompts and messages, up to its length', () => {
    const task = WORKSPACE_SAMPLES.task_created;
    const schema = workspaceEventDataSchema('task_created');
    const isTaken = (fields: object) => schema.safeParse({ ...task, ...fields }).success;
    const hostile = 'a\r\n\r\nevent: forged\ndata: {}\u0000\u2028"}\\ </script> \ue000🐚';
    for (const field of ['title', 'description', 'prompt', 'priority', 'branch', 'workspace_path']) {
      expect([field, isTaken({ [field]: hostile }), isTaken({ [field]: '\ud800' })]).toEqual([field, true, false]);
    }
    for (const [field, length] of [
      ['title', MAX_WORKSPACE_TITLE_LENGTH],
      ['workspace_path', MAX_WORKSPACE_PATH_LENGTH],
      ['description', MAX_WORKSPACE_TEXT_LENGTH],
    ] as const) {
      const text = '🐚'.repeat(length);
      expect([field, isTaken({ [field]: text }), isTaken({ [field]: `${text}x` })]).toEqual([field, true, false]);
    }
  });

  it('takes the statuses of tasks and sessions, and no other', () => {
    const schema = workspaceEventDataSchema('task_status_changed');
    for (const status of TASK_STATUSES) {
      expect(schema.safeParse({ task_id: 'a', old_status: 'todo', new_status: status }).success).toBe(true);
    }
    expect(schema.safeParse({ task_id: 'a', old_status: '', new_status: 'todo' }).success).toBe(false);
    const session = workspaceEventDataSchema('session_created');
    for (const status of SESSION_STATUSES) expect(session.safeParse({ session_id: 'a', status }).success).toBe(true);
    expect(session.safeParse({ session_id: 'a', status: 'todo' }).success).toBe(false);
  });

  it('takes a cron job with exactly one of cron and every', () => {
    const { cron: _cron, ...job } = CRON_JOB;
    const isTaken = (schedule: object) => cronJobSchema.safeParse({ ...job, ...schedule }).success;
    expect([
      isTaken({ cron: '* * * * *' }),
      isTaken({ every: 60 }),
      isTaken({}),
      isTaken({ cron: '* * * * *', every: 60 }),
      isTaken({ every: 0 }),
      isTaken({ every: 1.5 }),
    ]).toEqual([true, true, false, false, false, false]);
  });
});

describe('workspaceDocumentName', () => {
  it.each([
    ['task_created', 'TaskCreated'],
    ['cron_job_triggered', 'CronJobTriggered'],
    ['group_chat_agent_thinking', 'GroupChatAgentThinking'],
    ['ping', 'Ping'],
    ['', ''],
  ])('of %j is %j', (type, name) => {
    expect(workspaceDocumentName(type)).toBe(name);
  });

  it('of a safe name fits on a line', () => {
    fc.assert(
      fc.property(safeName, (type) => {
        expect(workspaceDocumentName(type)).not.toMatch(/[\s\p{C}]/u);
      }),
    );
  });
});

describe('workspaceEntityId', () => {
  it('names kind and id', () => {
    expect(WORKSPACE_ENTITY_KINDS.map((kind) => workspaceEntityId(kind, 'a'))).toEqual([
      'task/a',
      'session/a',
      'group/a',
      'cron/a',
    ]);
  });

  it('is an entity id for every id that events may have', () => {
    const longest = '🐚'.repeat(MAX_WORKSPACE_OBJECT_ID_LENGTH);
    expect(workspaceObjectIdSchema.safeParse(longest).success).toBe(true);
    expect(workspaceObjectIdSchema.safeParse(`${longest}x`).success).toBe(false);
    for (const kind of WORKSPACE_ENTITY_KINDS) {
      expect(entityIdSchema.safeParse(workspaceEntityId(kind, longest)).success).toBe(true);
    }
    fc.assert(
      fc.property(fc.oneof(safeName, fc.constantFrom('.', '..', '...', '.a', ...HOSTILE_NAMES)), (id) => {
        const isAddressable = id !== '.' && id !== '..' && [...id].length <= MAX_WORKSPACE_OBJECT_ID_LENGTH;
        const isSafe = isAddressable && safeNameSchema.safeParse(id).success;
        expect(workspaceObjectIdSchema.safeParse(id).success).toBe(isSafe);
      }),
    );
  });
});

describe('workspaceChannel', () => {
  it.each([
    ['cron_job_failed', 'cron'],
    ['group_chat_message', 'group'],
    ['task_created', 'tasks'],
    ['session_message', 'sessions'],
    ['agent_spawned', 'agents'],
    ['taskless', 'gateway'],
    ['', 'gateway'],
    ['__proto__', 'gateway'],
  ])('of %j is %s', (type, channel) => {
    expect(workspaceChannel(type)).toBe(channel);
  });

  it('is one of the channels, and of every type its own', () => {
    const channels = WORKSPACE_EVENT_TYPES.map(workspaceChannel);
    for (const channel of channels) expect(WORKSPACE_CHANNELS).toContain(channel);
    expect(new Set(channels)).toEqual(new Set(['cron', 'group', 'tasks', 'sessions', 'agents']));
  });
});
