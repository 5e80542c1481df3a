import { compareRoutes } from '@sluice/api-description';
import { describedOperations, startDescribedProcess, type DescribedProcess } from './described-process';

let running: DescribedProcess;

beforeAll(async () => {
  running = await startDescribedProcess();
});
afterAll(() => running.stop());

describe('the routes of the one process', () => {
  it('are those that its OpenAPI document describes, and the other way round', () => {
    expect(running.routes.length).toBeGreaterThan(50);
    expect(compareRoutes(running.routes, describedOperations())).toEqual({ undescribed: [], unregistered: [] });
  });

  it('would not pass with a route that is not described, nor with an operation that is no route', () => {
    const hidden = { method: 'POST', url: '/v1/hidden' };
    const gone = { method: 'GET', path: '/v1/gone' } as const;
    expect(compareRoutes([...running.routes, hidden], [...describedOperations(), gone])).toEqual({
      undescribed: ['POST /v1/hidden'],
      unregistered: ['GET /v1/gone'],
    });
  });
});
