/** Exit codes of `npm run audit`. */
export const OUTCOMES = { clean: 0, found: 1, notJudged: 2 };

const COUNTED = ['critical', 'high'];

/**
 * @typedef {{ package: string, severity: string, advisory: string, title: string, paths: readonly string[] }} Finding
 * @typedef {{ advisory: string, why: string, until: string }} Exception `until`: the last day on which it holds, in UTC
 */

/**
 * What an answer of `npm audit --json` means.
 *
 * @param {string} output what npm printed
 * @param {readonly Exception[]} exceptions
 * @param {string} today `YYYY-MM-DD`
 * @returns {{ exitCode: number, lines: readonly string[] }}
 */
export function judge(output, exceptions, today) {
  const report = parse(output);
  if (report?.auditReportVersion !== 2 || typeof report.vulnerabilities !== 'object') {
    return { exitCode: OUTCOMES.notJudged, lines: [`Not audited: ${whyNot(report)}`] };
  }
  const findings = findingsOf(report);
  const excused = new Map(exceptions.filter(({ until }) => until >= today).map((each) => [each.advisory, each]));
  const counted = findings.filter(({ advisory }) => !excused.has(advisory));
  const known = new Set(findings.map(({ advisory }) => advisory));
  const remarks = exceptions.flatMap(({ advisory, why, until }) => {
    if (!known.has(advisory)) return [`The exception for ${advisory} is not needed: remove it`];
    return [
      until >= today
        ? `Excepted until ${until}: ${advisory} (${why})`
        : `The exception for ${advisory} ended on ${until}`,
    ];
  });
  const checked = `${report.metadata?.dependencies?.prod ?? 'unknown'} packages of production`;
  if (counted.length === 0) {
    return {
      exitCode: OUTCOMES.clean,
      lines: [...remarks, `Nothing of severity high or critical found in ${checked}`],
    };
  }
  const lines = counted.map(
    ({ package: name, severity, advisory, title, paths }) =>
      `${name} | ${severity} | ${advisory} ${title} | ${paths.join(', ')}`,
  );
  return { exitCode: OUTCOMES.found, lines: [...remarks, ...lines, `${counted.length} found in ${checked}`] };
}

/** Each advisory once for each package; packages that only depend on such a package are not named. @returns {Finding[]} */
function findingsOf({ vulnerabilities }) {
  return Object.values(vulnerabilities).flatMap(({ name, via, nodes }) =>
    via
      .filter((cause) => typeof cause === 'object' && COUNTED.includes(cause.severity))
      .map(({ severity, url, title }) => ({
        package: name,
        severity,
        advisory: String(url).split('/').at(-1),
        title,
        paths: nodes,
      })),
  );
}

function parse(output) {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}

/** npm answers with what went wrong in place of a report. */
function whyNot(answer) {
  const told = answer?.message ?? answer?.error?.summary;
  if ([404, 405, 501].includes(answer?.statusCode)) {
    return `the registry has no advisories endpoint (${told}); ask one that has: npm run audit -- --registry=https://…`;
  }
  return told ? `the registry cannot be asked (${told})` : 'npm gave no report';
}
