import type { Decision, DecisionContext, SessionRefusal } from '../decision';
import type { SessionResource, SessionState } from '../session-state';
import { MAX_SESSION_RESOURCES } from './limits';
import { conflict, invalid, notFound, refused } from './refusals';
import { SessionChange } from './session-change';

/** Gives the session one more resource. No event tells it; the next run has it. */
export function decideAddResource(state: SessionState, resource: SessionResource, ctx: DecisionContext): Decision {
  const refusal = refusalOfState(state);
  if (refusal !== undefined) return refused(refusal);
  if (state.resources.length >= MAX_SESSION_RESOURCES) {
    return refused(conflict(`A session has at most ${MAX_SESSION_RESOURCES} resources`));
  }
  if (isPlaceTaken(state.resources, resource)) return refused(placeTaken(resource['mount_path'], 'mount_path'));
  return withResources(state, [...state.resources, resource], ctx);
}

/** Whether another resource is mounted where this one is to be. */
export function isPlaceTaken(resources: readonly SessionResource[], { mount_path: place }: SessionResource): boolean {
  return place != null && resources.some((other) => other['mount_path'] === place);
}

export function placeTaken(mountPath: unknown, where: string): SessionRefusal {
  return invalid(`Another resource is mounted at ${String(mountPath)}`, where);
}

/** Replaces the resource that has the same id. */
export function decideUpdateResource(state: SessionState, resource: SessionResource, ctx: DecisionContext): Decision {
  const refusal = refusalOfState(state) ?? refusalOfAbsence(state, resource.id);
  if (refusal !== undefined) return refused(refusal);
  return withResources(
    state,
    state.resources.map((other) => (other.id === resource.id ? resource : other)),
    ctx,
  );
}

/** Takes a resource away from the session. */
export function decideRemoveResource(state: SessionState, resourceId: string, ctx: DecisionContext): Decision {
  const refusal = refusalOfState(state) ?? refusalOfAbsence(state, resourceId);
  if (refusal !== undefined) return refused(refusal);
  return withResources(
    state,
    state.resources.filter((other) => other.id !== resourceId),
    ctx,
  );
}

function withResources(state: SessionState, resources: readonly SessionResource[], ctx: DecisionContext): Decision {
  const change = new SessionChange(state, ctx);
  change.set({ resources });
  return change.accept();
}

function refusalOfState(state: SessionState): SessionRefusal | undefined {
  if (state.archivedAtMs !== null) return conflict('The session is archived');
  return state.status === 'terminated' ? conflict('The session is terminated') : undefined;
}

function refusalOfAbsence(state: SessionState, resourceId: string): SessionRefusal | undefined {
  return state.resources.some((other) => other.id === resourceId) ? undefined : notFound('No such resource');
}
