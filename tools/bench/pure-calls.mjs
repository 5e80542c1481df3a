// For tests in CommonJS, which cannot import these modules: reads `[{ module, name, args }]` from its argument, calls each
// exported function, and prints the results as JSON.
const calls = JSON.parse(process.argv[2] ?? '[]');
const results = [];
for (const { module, name, args } of calls) {
  const exported = await import(new URL(module, import.meta.url).href);
  results.push(await exported[name](...args));
}
process.stdout.write(JSON.stringify(results));
