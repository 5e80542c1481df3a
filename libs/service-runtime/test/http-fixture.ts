import {
  BadRequestException,
  Body,
  Controller,
  ForbiddenException,
  Get,
  Module,
  NotFoundException,
  Param,
  Post,
} from '@nestjs/common';
import { SluiceError, type ErrorCode } from '@sluice/event-log';
import { createHttpApp, type HttpAppOptions } from '../src/index';
import { keptLogger, newMetrics } from './harness';

const NEST_ERRORS: Readonly<Record<string, () => Error>> = {
  sluice: () => new SluiceError('conflict', 'taken', { where: 'id' }),
  bad: () => new BadRequestException('bad\r\nidea'),
  forbidden: () => new ForbiddenException('not yours'),
  missing: () => new NotFoundException('no such thing'),
  unknown: () => new Error('password=hunter2'),
};

@Controller('nest')
class NestController {
  @Get('fail/:kind')
  fail(@Param('kind') kind: string): never {
    throw NEST_ERRORS[kind]?.() ?? new Error('no such kind');
  }

  @Post('echo')
  echo(@Body() body: unknown): unknown {
    return body;
  }
}

@Module({ controllers: [NestController] })
class NestModule {}

export const LIMIT_BYTES = 1_000;

/** An app with the same faults behind Nest and behind bare routes. */
export async function startApp(options: Partial<HttpAppOptions> = {}) {
  const kept = keptLogger();
  const metrics = newMetrics();
  const app = await createHttpApp({
    module: NestModule,
    logger: kept.logger,
    metrics,
    bodyLimitBytes: LIMIT_BYTES,
    ...options,
    routes: (http) => {
      http.fastify.post('/bare/echo', (request) => request.body);
      http.fastify.get<{ Params: { code: ErrorCode } }>('/bare/code/:code', (request) => {
        throw new SluiceError(request.params.code, `is ${request.params.code}`, { retryAfterMs: 1_200 });
      });
      http.fastify.get('/bare/unknown', async () => Promise.reject(new Error('password=hunter2')));
      http.fastify.get('/bare/odd', () => {
        throw Object.assign(new Error('password=hunter2'), { statusCode: 'x', code: 7 });
      });
      http.fastify.get('/bare/late', async (_request, reply) => {
        reply.raw.writeHead(200, { 'content-length': '10' });
        reply.raw.write('half');
        await Promise.resolve();
        throw new Error('late');
      });
      http.fastify.get('/bare/stream', { config: { longLived: true } }, async (_request, reply) => {
        reply.hijack();
        reply.raw.writeHead(200).flushHeaders();
      });
      http.fastify.get('/bare/address', (request) => ({ ip: request.ip }));
      options.routes?.(http);
    },
  });
  return { app, metrics, ...kept };
}
