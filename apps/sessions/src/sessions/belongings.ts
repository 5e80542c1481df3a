import type { SessionEventInput } from '@sluice/agent-sessions';
import type { RepositoryTokens } from '../vaults/repository-tokens';
import { hasLarge, type SentEvents } from './sent-events';
import type { ResourceParams } from './session-params';

/** What a command has beside what is stored with it. */
export interface Belongings {
  readonly tokens: readonly KeptToken[];
  readonly events: readonly SessionEventInput[];
}

/** The token of a repository, by the id of the resource. */
export interface KeptToken {
  readonly resourceId: string;
  readonly token: string;
}

/** Belongings that are kept, for as long as it is not known that nothing has them. */
export interface KeptBelongings {
  /** With files in the place of what is large. */
  readonly events: readonly SessionEventInput[];
  readonly onDropped: () => Promise<void>;
}

export function tokenOf(params: ResourceParams, resourceId: string): readonly KeptToken[] {
  if (params.type !== 'github_repository' || params.authorization_token === undefined) return [];
  return [{ resourceId, token: params.authorization_token }];
}

/** Whether there is anything to keep. */
export function hasBelongings({ tokens, events }: Belongings): boolean {
  return tokens.length > 0 || hasLarge(events);
}

/** Keeps tokens and files before what they belong to is stored: an engine that is told of that finds them. */
export class BelongingsKeeper {
  constructor(
    private readonly sent: Pick<SentEvents, 'store'>,
    private readonly tokens: Pick<RepositoryTokens, 'keep' | 'forget'>,
  ) {}

  /** @throws SluiceError as tokens and files are refused; nothing is kept then */
  async keep(workspaceId: number, sessionId: string, { tokens, events }: Belongings): Promise<KeptBelongings> {
    const kept: string[] = [];
    const forget = async () => {
      for (const resourceId of kept.splice(0)) await this.tokens.forget(workspaceId, resourceId);
    };
    try {
      for (const { resourceId, token } of tokens) {
        kept.push(resourceId);
        await this.tokens.keep(workspaceId, sessionId, resourceId, token);
      }
      const stored = await this.sent.store(workspaceId, sessionId, events);
      const onDropped = async () => {
        await stored.drop();
        await forget();
      };
      return { events: stored.events, onDropped };
    } catch (error) {
      // What does not go now is left to the sweep of tokens.
      await forget().catch(() => undefined);
      throw error;
    }
  }
}
