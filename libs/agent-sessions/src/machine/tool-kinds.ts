import type { ActionKind, EnvironmentType, TrackedToolUse } from '../session-state';

const ANSWERS: Readonly<Record<string, readonly ActionKind[]>> = {
  'agent.tool_use': ['user.tool_confirmation'],
  'agent.mcp_tool_use': ['user.tool_confirmation'],
  'agent.custom_tool_use': ['user.custom_tool_result'],
};

const ACTION_KINDS: readonly string[] = [
  'user.tool_confirmation',
  'user.custom_tool_result',
  'user.tool_result',
] satisfies readonly ActionKind[];

/** Whether events of this type answer a tool use. */
export function isActionKind(type: string): type is ActionKind {
  return ACTION_KINDS.includes(type);
}

/** What may answer a tool use of this type when a run waits for it; undefined when the type is of no tool use. */
export function answersOf(type: string, environment: EnvironmentType): readonly ActionKind[] | undefined {
  if (type === 'agent.tool_use' && environment === 'self_hosted') return ['user.tool_confirmation', 'user.tool_result'];
  return ANSWERS[type];
}

/**
 * What may answer a tool use from its report on, before its run says that it waits: empty when its engine sees to it alone.
 */
export function expectedAnswers(
  event: Readonly<Record<string, unknown>> & { readonly type: string },
  environment: EnvironmentType,
): readonly ActionKind[] {
  const answers = answersOf(event.type, environment) ?? [];
  if (event.type === 'agent.custom_tool_use') return answers;
  if (event['evaluated_permission'] === 'deny') return [];
  return event['evaluated_permission'] === 'ask' || answers.includes('user.tool_result') ? answers : [];
}

/** What may answer a tool use after this answer: what is allowed to run outside is still to be run there. */
export function remainingAnswers(
  before: readonly ActionKind[],
  answer: { readonly kind: ActionKind; readonly isAllowed: boolean },
): readonly ActionKind[] {
  const isToRunOutside = answer.isAllowed && before.includes('user.tool_result');
  return answer.kind === 'user.tool_confirmation' && isToRunOutside ? ['user.tool_result'] : [];
}

/** Whether it has an answer, or needs none any more. What was allowed may still have its result. */
export function hasAnswer({ answeredBy }: TrackedToolUse): boolean {
  return answeredBy.every((kind) => kind === 'user.tool_result');
}

/** The tool use that an answer is for. */
export function answeredToolUse(answer: Readonly<Record<string, unknown>> & { readonly type: string }): string {
  return String(answer[answer.type === 'user.custom_tool_result' ? 'custom_tool_use_id' : 'tool_use_id']);
}
