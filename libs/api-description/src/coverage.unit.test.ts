import { defineEventType, EventCatalogue, eventCatalogue } from '@sluice/event-schema';
import { z } from 'zod';
import { asyncApiDocument } from './asyncapi';
import { compareRoutes, uncarriedEventTypes, undescribedEventTypes } from './coverage';

const routes = [
  { method: 'GET', url: '/v1/events/:eventId' },
  { method: 'HEAD', url: '/v1/events/:eventId' },
  { method: 'OPTIONS', url: '*' },
];
const operations = [{ method: 'GET', path: '/v1/events/{eventId}' }] as const;

describe('compareRoutes', () => {
  it('finds nothing where all is described', () => {
    expect(compareRoutes(routes, operations)).toEqual({ undescribed: [], unregistered: [] });
  });

  it('finds an undocumented route, of any method', () => {
    const more = [
      { method: 'POST', url: '/v1/events/:eventId' },
      { method: 'GET', url: '/v1/secret' },
      { method: 'HEAD', url: '/v1/head-alone' },
    ];
    expect(compareRoutes([...routes, ...more], operations).undescribed).toEqual([
      'GET /v1/secret',
      'HEAD /v1/head-alone',
      'POST /v1/events/{eventId}',
    ]);
  });

  it('finds a description without a route', () => {
    const more = [...operations, { method: 'DELETE', path: '/v1/events/{eventId}' } as const];
    expect(compareRoutes(routes, more).unregistered).toEqual(['DELETE /v1/events/{eventId}']);
    expect(compareRoutes([], operations).unregistered).toEqual(['GET /v1/events/{eventId}']);
  });
});

describe('event types', () => {
  const flow = {
    name: 'flow',
    address: '/flow',
    app: 'sse-stream',
    protocol: 'sse',
    summary: 'Everything.',
    families: ['sandbox'],
    messages: {},
  } as const;
  const document = asyncApiDocument(eventCatalogue, [flow], '1');
  const invented = defineEventType({ family: 'session', type: 'new', description: 'Made up.' }, z.object({}));
  const larger = new EventCatalogue([...eventCatalogue.all(), invented]);

  it('are all in a document of their catalogue; one more is missed', () => {
    expect(undescribedEventTypes(eventCatalogue, document)).toEqual([]);
    expect(undescribedEventTypes(larger, document)).toEqual(['session/new']);
    expect(undescribedEventTypes(larger, {})).toContain('sandbox/custom');
  });

  it('are missed where no channel carries them', () => {
    const carried = uncarriedEventTypes(larger, asyncApiDocument(larger, [flow], '1'));
    expect(carried).toContain('session/new');
    expect(carried).not.toContain('sandbox/custom');
  });
});
