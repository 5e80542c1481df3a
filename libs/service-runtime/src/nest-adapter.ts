import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerError } from './http-answer';
import type { Logger } from './logger';

/** Nest on a Fastify that has its handlers for errors and unknown routes already: Nest must not set its own over them. */
export class SluiceFastifyAdapter extends FastifyAdapter {
  override setErrorHandler(): ReturnType<FastifyAdapter['setErrorHandler']> {
    return this.instance;
  }

  override setNotFoundHandler(): ReturnType<FastifyAdapter['setNotFoundHandler']> {
    return this.instance;
  }

  /** Without middie: it would run for each request, and middleware has no place here (hooks and guards have). */
  override init(): Promise<void> {
    return Promise.resolve();
  }
}

/** What a Nest handler throws is answered as what a bare Fastify route throws. */
@Catch()
export class SluiceExceptionFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    answerError(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), this.logger);
  }
}
