import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { evaluate } from '../docker-engine/run-module';

interface Exception {
  readonly advisory: string;
  readonly why: string;
  readonly until: string;
}

const judge = (answer: object | string, exceptions: readonly Exception[] = []) => {
  const output = typeof answer === 'string' ? answer : JSON.stringify(answer);
  const args = [output, exceptions, '2026-03-01'].map((each) => JSON.stringify(each)).join(', ');
  return evaluate<{ exitCode: number; lines: readonly string[] }>(
    `import { judge } from './tools/audit/judgement.mjs'; console.log(JSON.stringify(judge(${args})));`,
  );
};

const ID = 'GHSA-2222-3333-4444';

const advisory = (severity: string, id = ID) => ({
  source: 1000001,
  name: 'inner',
  dependency: 'inner',
  title: 'It can be made to wait',
  url: `https://github.com/advisories/${id}`,
  severity,
  cwe: ['CWE-400'],
  cvss: { score: 7.5, vectorString: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' },
  range: '<2.0.0',
});

/** As npm 7 and later print it: a package with a hole, and one that depends on it. */
const report = (...via: readonly object[]) => ({
  auditReportVersion: 2,
  vulnerabilities: {
    inner: {
      name: 'inner',
      severity: 'high',
      isDirect: false,
      via,
      effects: ['outer'],
      range: '<2.0.0',
      nodes: ['node_modules/inner', 'node_modules/outer/node_modules/inner'],
      fixAvailable: true,
    },
    outer: {
      name: 'outer',
      severity: 'high',
      isDirect: true,
      via: ['inner'],
      effects: [],
      range: '*',
      nodes: ['node_modules/outer'],
      fixAvailable: { name: 'outer', version: '3.0.0', isSemVerMajor: true },
    },
  },
  metadata: {
    vulnerabilities: { info: 0, low: 0, moderate: 0, high: 2, critical: 0, total: 2 },
    dependencies: { prod: 321, dev: 1234, optional: 20, peer: 0, peerOptional: 0, total: 1555 },
  },
});
const nothing = { ...report(), vulnerabilities: {} };
const line = (severity: string, id = ID) =>
  `inner | ${severity} | ${id} It can be made to wait | node_modules/inner, node_modules/outer/node_modules/inner`;
const excused = (until: string, id = ID) => ({ advisory: id, why: 'we never call that part of it', until });

describe('what an audit means', () => {
  it('is 0 where nothing is found, or nothing that is high', () => {
    const clean = { exitCode: 0, lines: ['Nothing of severity high or critical found in 321 packages of production'] };
    expect(judge(nothing)).toEqual(clean);
    expect(judge(report(advisory('moderate'), advisory('low')))).toEqual(clean);
  });

  it('is 1 where something is found: package, severity, advisory, path', () => {
    const both = report(advisory('high'), advisory('critical', 'GHSA-5555-6666-7777'));
    expect(judge(both)).toEqual({
      exitCode: 1,
      lines: [line('high'), line('critical', 'GHSA-5555-6666-7777'), '2 found in 321 packages of production'],
    });
  });

  it.each([
    [
      {
        message: '405 Method Not Allowed - POST https://registry.example/-/npm/v1/security/advisories/bulk',
        statusCode: 405,
      },
      /^Not audited: the registry has no advisories endpoint \(405 Method Not Allowed/,
    ],
    [
      { message: 'request to https://registry.example/ failed, reason: connect ECONNREFUSED', error: { summary: '' } },
      /^Not audited: the registry cannot be asked \(request to/,
    ],
    [
      { error: { code: 'ENOLOCK', summary: 'This command requires an existing lockfile.' } },
      /requires an existing lockfile/,
    ],
    ['', /^Not audited: npm gave no report$/],
    ['<html>', /^Not audited: npm gave no report$/],
    [{ auditReportVersion: 3, vulnerabilities: {} }, /^Not audited: npm gave no report$/],
  ])('is 2 where nobody could be asked: %j', (answer, sentence) => {
    const { exitCode, lines } = judge(answer);
    expect(exitCode).toBe(2);
    expect(lines).toEqual([expect.stringMatching(sentence)]);
  });

  it('leaves out what is excepted, to its last day', () => {
    expect(judge(report(advisory('high')), [excused('2026-03-01')])).toEqual({
      exitCode: 0,
      lines: [
        `Excepted until 2026-03-01: ${ID} (we never call that part of it)`,
        'Nothing of severity high or critical found in 321 packages of production',
      ],
    });
    expect(judge(report(advisory('high')), [excused('2026-02-28')])).toEqual({
      exitCode: 1,
      lines: [`The exception for ${ID} ended on 2026-02-28`, line('high'), '1 found in 321 packages of production'],
    });
  });

  it('says which exceptions are not needed', () => {
    expect(judge(nothing, [excused('2026-12-31')]).lines[0]).toBe(`The exception for ${ID} is not needed: remove it`);
  });
});

describe('the exceptions', () => {
  const read = (name: string) => JSON.parse(readFileSync(join(__dirname, name), 'utf8')) as object;
  const isValid = new Ajv().compile(read('exceptions.schema.json'));

  it('are what the schema says', () => {
    expect(isValid(read('exceptions.json'))).toBe(true);
    expect(isValid([excused('2026-12-31')])).toBe(true);
  });

  it.each([
    { ...excused('2026-12-31'), advisory: '1000001' },
    { ...excused('2026-12-31'), why: 'later' },
    excused('soon'),
    { ...excused('2026-12-31'), severity: 'high' },
    { advisory: ID, why: 'we never call that part of it' },
  ])('are no exception without an id, a reason and an end: %j', (exception) => {
    expect(isValid([exception])).toBe(false);
  });
});
