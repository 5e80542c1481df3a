import type { AgentService, RegistrationFile } from './registration-file';

/** What is known of an agent without a registration file. */
export const NO_FILE: RegistrationFile = {
  name: '',
  services: [],
  supportedTrust: [],
  declaredSkills: [],
  declaredDomains: [],
};

/**
 * The fields in which two registration files differ, by the names that files give them. A new MCP or A2A endpoint is
 * `mcpEndpoint` or `a2aEndpoint`, any other difference of services `services`. A new `updatedAt` alone is no difference.
 */
export function changedFields(before: RegistrationFile | undefined, after: RegistrationFile): readonly string[] {
  const old = before ?? NO_FILE;
  const changes: string[] = [];
  if (old.name !== after.name) changes.push('name');
  if (old.description !== after.description) changes.push('description');
  if (old.image !== after.image) changes.push('image');
  if (old.active !== after.active) changes.push('active');
  if (old.x402Support !== after.x402Support) changes.push('x402Support');
  if (old.mcpEndpoint !== after.mcpEndpoint) changes.push('mcpEndpoint');
  if (old.a2aEndpoint !== after.a2aEndpoint) changes.push('a2aEndpoint');
  if (otherServices(old) !== otherServices(after)) changes.push('services');
  if (!isSameList(old.supportedTrust, after.supportedTrust)) changes.push('supportedTrust');
  if (!isSameList(old.declaredSkills, after.declaredSkills)) changes.push('skills');
  if (!isSameList(old.declaredDomains, after.declaredDomains)) changes.push('domains');
  return changes;
}

/** The services without what the endpoints that have names of their own tell already. */
function otherServices(file: RegistrationFile): string {
  const others: unknown[] = [];
  for (const service of file.services) {
    const { name, endpoint, version } = service;
    if (!isNamedEndpoint(file, service)) others.push([name, endpoint, version]);
    else if (version !== undefined) others.push([name, version]);
  }
  return JSON.stringify(others);
}

function isNamedEndpoint({ mcpEndpoint, a2aEndpoint }: RegistrationFile, { name, endpoint }: AgentService): boolean {
  const kind = name.toLowerCase();
  return (kind === 'mcp' && endpoint === mcpEndpoint) || (kind === 'a2a' && endpoint === a2aEndpoint);
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, at) => item === other[at]);
}
