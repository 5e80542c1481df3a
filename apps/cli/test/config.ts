/** The environment of a child process: this one's without any setting of Sluice, and the given ones. */
export function childEnvironment(settings: Record<string, string>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^SLUICE_|^NODE_OPTIONS$|^JEST_/.test(name));
  return { ...Object.fromEntries(inherited), ...settings };
}
