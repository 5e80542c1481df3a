import type { EngineSessionEvent } from '../session/engine-event';
import {
  ENGINE_SESSION_EVENT_TYPES,
  type SendableSessionEventType,
  type StoredSessionEventType,
} from '../session/event-types';
import type { SendSessionEvent } from '../session/send-event';
import type { SessionEventData } from '../session/session-data';

const PROCESSED_AT = '2026-01-31T09:30:00.125Z';
const TEXT = { type: 'text', text: 'Says\nthings \u0000 well 🐚' } as const;
const IMAGE = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } } as const;
const LINKED_IMAGE = { type: 'image', source: { type: 'url', url: 'https://files.example/cat.gif' } } as const;
const FILED_IMAGE = { type: 'image', source: { type: 'file', file_id: 'file_011' } } as const;
const DOCUMENT = {
  type: 'document',
  source: { type: 'text', media_type: 'text/plain', data: 'a,b\n1,2' },
  title: 'Table',
  context: null,
} as const;
const FILED_DOCUMENT = { type: 'document', source: { type: 'file', file_id: 'file_012' }, title: null } as const;
const PDF = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } } as const;
const SEARCH_RESULT = {
  type: 'search_result' as const,
  source: 'https://search.example/1',
  title: 'A page',
  content: [{ type: 'text' as const, text: 'What it says' }],
  citations: { enabled: true },
};

/** One event of each type that an application can send, with every member and every kind of block. */
export const SENT_SESSION_SAMPLES: { readonly [T in SendableSessionEventType]: SendSessionEvent & { type: T } } = {
  'user.message': {
    type: 'user.message',
    content: [TEXT, IMAGE, LINKED_IMAGE, FILED_IMAGE, DOCUMENT, FILED_DOCUMENT, PDF, { type: 'redacted' }],
  },
  'user.interrupt': { type: 'user.interrupt', session_thread_id: 'sthr_01' },
  'user.tool_confirmation': {
    type: 'user.tool_confirmation',
    tool_use_id: 'sevt_01',
    result: 'deny',
    deny_message: 'Not this folder.',
  },
  'user.custom_tool_result': {
    type: 'user.custom_tool_result',
    custom_tool_use_id: 'toolu_01:a.b-c',
    content: [TEXT, IMAGE, PDF, SEARCH_RESULT],
    is_error: false,
  },
  'user.tool_result': { type: 'user.tool_result', tool_use_id: 'sevt_02', content: [TEXT], is_error: null },
  'user.define_outcome': {
    type: 'user.define_outcome',
    description: 'All tests pass.',
    rubric: { type: 'text', content: 'Run them.' },
    max_iterations: 3,
  },
  'system.message': { type: 'system.message', content: [{ type: 'text', text: 'Be brief.' }] },
};

const at = { processed_at: PROCESSED_AT };
const thread = { session_thread_id: 'sthr_02', agent_name: 'Helper' };
const usage = {
  input_tokens: 10,
  output_tokens: 20,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 5,
};
const evaluation = { outcome_id: 'outc_01', iteration: 0 };
const run = { workflow_run_id: 'wfr_01' };

/** What the members of each stored event are, beside `id` and `type`. */
const STORED: {
  readonly [T in StoredSessionEventType]: Omit<SessionEventData, 'id' | 'type'> & { processed_at: string | null };
} = {
  'user.message': { ...SENT_SESSION_SAMPLES['user.message'], processed_at: null },
  'user.interrupt': { ...at, session_thread_id: null },
  'user.tool_confirmation': { ...SENT_SESSION_SAMPLES['user.tool_confirmation'], ...at, session_thread_id: null },
  'user.custom_tool_result': { ...SENT_SESSION_SAMPLES['user.custom_tool_result'], ...at },
  'user.tool_result': { ...SENT_SESSION_SAMPLES['user.tool_result'], ...at },
  'user.define_outcome': { ...SENT_SESSION_SAMPLES['user.define_outcome'], ...at, outcome_id: 'outc_01' },
  'system.message': { ...SENT_SESSION_SAMPLES['system.message'], processed_at: null },
  'agent.message': { ...at, content: [TEXT, { type: 'redacted' }] },
  'agent.thinking': at,
  'agent.tool_use': {
    ...at,
    name: 'bash',
    input: { command: 'ls' },
    evaluated_permission: 'ask',
    evaluation: { type: 'always_ask' },
    session_thread_id: null,
  },
  'agent.tool_result': { ...at, tool_use_id: 'sevt_02', content: [TEXT, FILED_IMAGE], is_error: false },
  'agent.mcp_tool_use': {
    ...at,
    mcp_server_name: 'github',
    name: 'search',
    input: {},
    evaluated_permission: 'deny',
    evaluation: { type: 'auto', evaluated_permission: { type: 'deny', reason_code: 'high_risk' } },
  },
  'agent.mcp_tool_result': { ...at, mcp_tool_use_id: 'sevt_03', content: [], is_error: null },
  'agent.custom_tool_use': { ...at, name: 'weather', input: { city: 'Oslo', days: [1, 2] }, session_thread_id: null },
  'agent.thread_context_compacted': at,
  'agent.thread_message_sent': { ...at, content: [TEXT], to_session_thread_id: 'sthr_02', to_agent_name: 'Helper' },
  'agent.thread_message_received': {
    ...at,
    content: [TEXT],
    from_session_thread_id: 'sthr_02',
    from_agent_name: null,
  },
  'session.error': {
    ...at,
    error: {
      type: 'mcp_connection_failed_error',
      message: 'No route',
      retry_status: { type: 'retrying' },
      mcp_server_name: 'github',
    },
  },
  'session.status_running': { ...at, sluice: { processed_inputs: ['sevt_01'], run_id: 'srun_01' } },
  'session.status_idle': {
    ...at,
    stop_reason: { type: 'requires_action', event_ids: ['sevt_02'] },
    stop_details: null,
  },
  'session.status_rescheduled': at,
  'session.status_terminated': at,
  'session.updated': { ...at, title: null, metadata: { team: 'core' }, budget: null },
  'session.usage': { ...at, usage: { input_tokens: 10, active_seconds: 1.5 }, budget: null },
  'session.thread_created': { ...at, ...thread, workflow_run_id: null },
  'session.thread_status_running': { ...at, ...thread },
  'session.thread_status_idle': { ...at, ...thread, stop_reason: { type: 'end_turn' }, stop_details: null },
  'session.thread_status_rescheduled': { ...at, ...thread },
  'session.thread_status_terminated': { ...at, ...thread },
  'span.model_request_start': at,
  'span.model_request_end': { ...at, model_request_start_id: 'sevt_04', is_error: null, model_usage: usage },
  'span.outcome_evaluation_start': { ...at, ...evaluation },
  'span.outcome_evaluation_ongoing': { ...at, ...evaluation },
  'span.outcome_evaluation_end': {
    ...at,
    ...evaluation,
    outcome_evaluation_start_id: 'sevt_05',
    result: 'satisfied',
    explanation: 'All pass.',
    usage,
  },
  'workflow_run.created': { ...at, ...run },
  'workflow_run.status_running': { ...at, ...run },
  'workflow_run.status_idle': { ...at, ...run },
  'workflow_run.status_ended': { ...at, ...run },
  'workflow_run.error': { ...at, ...run },
  'workflow_run.phase_started': { ...at, ...run },
  'workflow_run.phase_ended': { ...at, ...run },
  'session.deleted': at,
  'session.created': at,
  'session.archived': at,
};

/** Data of each stored type, with every member that it knows. */
export const SESSION_SAMPLES = Object.fromEntries(
  Object.entries(STORED).map(([type, members], n) => [type, { id: `sevt_${100 + n}`, type, ...members }]),
) as { readonly [T in StoredSessionEventType]: SessionEventData };

/** One event of each type that an engine can report, with every member. */
export const ENGINE_SESSION_SAMPLES = Object.fromEntries(
  ENGINE_SESSION_EVENT_TYPES.map((type) => {
    const { processed_at: _time, sluice: _notes, ...reported } = SESSION_SAMPLES[type];
    return [type, reported];
  }),
) as unknown as { readonly [T in EngineSessionEvent['type']]: EngineSessionEvent & { type: T } };
