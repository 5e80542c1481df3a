/** Knows which methods a path takes, to tell 405 from 404. Only asked when no route matched. */
export class RouteTable {
  private readonly routes: { readonly segments: readonly string[]; readonly method: string }[] = [];

  /** Adds a route by its pattern, with `:name` for one segment and `*` for the rest. */
  add(method: string, pattern: string): void {
    this.routes.push({ segments: splitPath(pattern), method });
  }

  /** The methods that are routed for the path, sorted; empty for an unknown path. */
  methodsOf(path: string): string[] {
    const segments = splitPath(path);
    const methods = new Set<string>();
    for (const route of this.routes) if (matches(route.segments, segments)) methods.add(route.method);
    return [...methods].sort();
  }
}

function splitPath(path: string): string[] {
  return path.split('/').slice(1);
}

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  const wildcard = pattern.indexOf('*');
  if (wildcard === -1 ? pattern.length !== path.length : path.length <= wildcard) return false;
  const fixed = wildcard === -1 ? pattern : pattern.slice(0, wildcard);
  return fixed.every((part, index) => (part.startsWith(':') ? path[index] !== '' : part === path[index]));
}
