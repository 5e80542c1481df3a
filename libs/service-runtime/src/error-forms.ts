import type { FastifyReply, FastifyRequest } from 'fastify';

/** Answers whatever was thrown. */
export type AnswerFault = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/**
 * Forms in which faults are answered below some paths, for what no route takes care of: unknown paths and methods, addresses
 * that cannot be decoded, and errors of routes that have no form of their own.
 */
export class ErrorForms {
  private readonly forms: { readonly path: string; readonly answer: AnswerFault }[] = [];

  /** @param path without a slash at its end; it and what is below it, by whole segments. The first one that fits counts. */
  add(path: string, answer: AnswerFault): void {
    this.forms.push({ path, answer });
  }

  /** @param url of a request; doubled slashes make no difference */
  of(url: string): AnswerFault | undefined {
    const path = (url.split('?', 1)[0] ?? '').replaceAll(/\/{2,}/g, '/');
    return this.forms.find((form) => path === form.path || path.startsWith(`${form.path}/`))?.answer;
  }
}
