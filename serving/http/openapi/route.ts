import type { FastifyInstance } from 'fastify';
import { type About, openApiDocument } from './document.ts';
import type { Operations } from './operation.ts';

/**
 * `GET /openapi.json`, open to everybody: it says what may be asked, and nothing of what is served. Call it when all
 * routes of the listener are there, with what is said of each.
 */
export function addOpenApi(app: FastifyInstance, about: About, operations: Operations): void {
  let text: string | null = null;
  app.get('/openapi.json', { config: { scopes: null } }, async (_request, reply) => {
    text ??= JSON.stringify(openApiDocument(about, app.routes, operations));
    return reply.type('application/json; charset=utf-8').send(text);
  });
}
