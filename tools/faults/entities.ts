/** What the writers of one trial write about. Names differ from trial to trial, so that several can use one system. */
export interface Entities {
  readonly sandboxes: readonly string[];
  /** Of the sandboxes the one that some readers follow alone. */
  readonly oneSandbox: string;
  /** The name in marks; the entity is `registryAgent`. */
  readonly registry: string;
  readonly registryAgent: string;
  /** The session of the workspace, and its name in marks. */
  readonly workspace: string;
  /** The name in marks; the entity is the id of a session. */
  readonly session: string;
  /** Whether a name in a mark is of this trial, and of none before it. */
  readonly owns: (name: string) => boolean;
}

const SANDBOXES = 8;
const CHAIN_ID = 11155111;

/** @param number of the trial on its system, from 1 on */
export function entitiesOf(number: number): Entities {
  const sandboxes = Array.from({ length: SANDBOXES }, (_, n) => `sandbox-${number}-${n + 1}`);
  return {
    sandboxes,
    oneSandbox: sandboxes[0] ?? '',
    registry: `registry-${number}`,
    registryAgent: `${CHAIN_ID}:${number}`,
    workspace: `workspace-${number}`,
    session: `session-${number}`,
    owns: (name) => name.split('-')[1] === String(number),
  };
}
