import fc from 'fast-check';
import { envelope, HOSTILE_NAMES, jsonObject, safeName } from '../../test/arbitraries';
import { SAMPLE } from '../../test/sample';
import { eventCatalogue } from '../catalogue/event-catalogue';
import { SANDBOX_EVENT_TYPES } from './event-types';
import { sandboxEventSchema, toSandboxEvent } from './sandbox-event';

/** The constants that the documentation of the sandbox events clients lists. */
const DOCUMENTED = [
  ...['execution.started', 'execution.completed', 'execution.failed', 'execution.timeout'],
  ...['file.created', 'file.updated', 'file.deleted', 'file.read'],
  ...['terminal.created', 'terminal.output', 'terminal.input', 'terminal.closed'],
  ...['process.started', 'process.exited', 'process.signal'],
  ...['http.request', 'http.response'],
  ...['system.ready', 'system.shutdown', 'system.error'],
  'custom',
];

describe('the sandbox family', () => {
  it('has exactly the documented types', () => {
    expect([...SANDBOX_EVENT_TYPES].sort()).toEqual([...DOCUMENTED].sort());
    const known = eventCatalogue.all().filter(({ family }) => family === 'sandbox');
    expect(known.map(({ type }) => type).sort()).toEqual([...DOCUMENTED].sort());
  });

  it.each(DOCUMENTED)('describes %s and takes any object as its data', (type) => {
    expect(eventCatalogue.find('sandbox', type)).toMatchObject({ version: 1, upcasters: [] });
    expect(eventCatalogue.find('sandbox', type)?.description).toMatch(/^[A-Z].+\.$/);
    fc.assert(
      fc.property(jsonObject, (data) => {
        expect(eventCatalogue.dataSchema('sandbox', type).safeParse(data).success).toBe(true);
      }),
      { numRuns: 20 },
    );
    expect(eventCatalogue.dataSchema('sandbox', type).safeParse([]).success).toBe(false);
  });

  it('takes any safe name as a free type', () => {
    fc.assert(
      fc.property(safeName, (type) => {
        expect(sandboxEventSchema.safeParse({ ...toSandboxEvent(SAMPLE), type }).success).toBe(true);
      }),
    );
    for (const type of HOSTILE_NAMES) {
      expect(sandboxEventSchema.safeParse({ ...toSandboxEvent(SAMPLE), type }).success).toBe(false);
    }
  });
});

describe('toSandboxEvent', () => {
  it('has the members of the contract, in this order, and nothing else', () => {
    expect(JSON.stringify(toSandboxEvent(SAMPLE))).toBe(
      '{"id":"01a1fe01-6240-73e6-8f05-0efe9e01e202","sandboxId":"sandbox-123","workspaceId":1,' +
        '"type":"execution.completed","data":{"exitCode":0},"timestamp":1700000000000}',
    );
  });

  it('gives what its schema accepts, for every envelope', () => {
    fc.assert(
      fc.property(envelope, (event) => {
        expect(sandboxEventSchema.parse(toSandboxEvent(event))).toEqual(toSandboxEvent(event));
      }),
    );
  });
});
