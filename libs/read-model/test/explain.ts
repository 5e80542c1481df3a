import { Client } from 'pg';
import { SESSION_OPTIONS } from '../src/database';

export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly PlanNode[];
}

export const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

export const pagesTouched = (plan: PlanNode): number => plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];

export interface SentStatement {
  readonly text: string;
  readonly values: unknown[];
}

/** The statements about a table (or another word) that some work sends. */
export async function statementsOf(word: string, work: () => Promise<unknown>): Promise<readonly SentStatement[]> {
  const sent: SentStatement[] = [];
  const original = Reflect.get(Client.prototype, 'query') as (...args: unknown[]) => unknown;
  const spy = jest.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...args: unknown[]) {
    const config = args[0] as string | { text?: string; values?: unknown[] };
    const { text = '', values } = typeof config === 'string' ? { text: config } : config;
    if (text.includes(word)) sent.push({ text, values: values ?? (args[1] as unknown[]) ?? [] });
    return original.apply(this, args) as never;
  });
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return sent;
}

/**
 * Runs a read and explains the very statement that it sent, with its parameters: the plan of a copy would prove nothing
 * about the original. `settings` are what the read tells the planner besides.
 */
export async function explain(
  databaseUrl: string,
  table: string,
  read: () => Promise<unknown>,
  settings: Readonly<Record<string, string>> = {},
): Promise<PlanNode> {
  const plans = await explainEach(databaseUrl, table, read, settings);
  expect(plans).toHaveLength(1);
  const [plan] = plans;
  if (!plan) throw new Error('no plan');
  return plan;
}

/** The plans of all statements that a read sends. */
export async function explainEach(
  databaseUrl: string,
  table: string,
  read: () => Promise<unknown>,
  settings: Readonly<Record<string, string>> = {},
): Promise<readonly PlanNode[]> {
  const sent = await statementsOf(table, read);
  const told = Object.entries(settings).map(([name, value]) => ` -c ${name}=${value}`);
  const client = new Client({ connectionString: databaseUrl, options: SESSION_OPTIONS + told.join('') });
  await client.connect();
  try {
    const plans: PlanNode[] = [];
    for (const { text, values } of sent) {
      const { rows } = await client.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
        values,
      );
      const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
      if (!plan) throw new Error('no plan');
      plans.push(plan);
    }
    return plans;
  } finally {
    await client.end();
  }
}
