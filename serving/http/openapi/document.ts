/** The OpenAPI 3.1 document of a listener, made from its routes and what is said of them. */
import { z } from 'zod';
import { agentErrorSchema } from '../../../shared/domain/endpoint/admin-api.ts';
import { protocolErrorSchema } from '../../../shared/domain/open-inference/messages.ts';
import type { Scope } from '../../tokens.ts';
import {
  ANSWER_HEADERS,
  ANY_REQUEST,
  type Answer,
  type AnswerHeader,
  type Body,
  type ErrorStatus,
  errorFacts,
  type NamedSchema,
  named,
  type Operation,
  type Operations,
  REQUEST_HEADERS,
  WITH_BODY,
  WITH_TOKEN,
} from './operation.ts';

export interface Route {
  readonly method: string;
  /** As it is registered: `/models/:name/versions`. */
  readonly url: string;
  readonly scopes: readonly Scope[] | null;
}

export interface About {
  readonly title: string;
  readonly description: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Answered before there is a request whose path is known: it has both shapes. */
const UNREAD_STATUSES: readonly ErrorStatus[] = [400, 408, 431];

/** Whether a path speaks the Open Inference Protocol, and so answers errors in its shape. */
export function isProtocolPath(url: string): boolean {
  return /^\/v2(?:[/?]|$)/.test(url);
}

/** Routes of which nothing is said are left out; a test finds them. */
export function openApiDocument(about: About, routes: readonly Route[], operations: Operations): Json {
  const components = new Components();
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const operation = operations[`${route.method} ${route.url}`];
    if (!operation) continue;
    const path = route.url.replaceAll(/:([A-Za-z]+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operationObject(route, operation, components);
  }
  return {
    openapi: '3.1.1',
    info: { ...about, version: '1', license: { name: 'Apache 2.0', identifier: 'Apache-2.0' } },
    // The address is the one the document was read from.
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: components.schemas,
      responses: components.responses,
      headers: Object.fromEntries(
        Object.entries(ANSWER_HEADERS).map(([name, description]) => [
          name,
          { description, schema: { type: 'string' } },
        ]),
      ),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            'A token of the agent (`sallyport agent token create`) or, where it is configured, a JSON Web Token. Scopes: `predict`, `read`, `deploy` (which includes `read`).',
        },
      },
    },
  };
}

function operationObject(route: Route, operation: Operation, components: Components): Json {
  const { scopes, url } = route;
  const statuses = new Set([
    ...ANY_REQUEST,
    ...(scopes === null ? [] : WITH_TOKEN),
    // tus judges a piece's type itself.
    ...(operation.body && !operation.tus ? WITH_BODY : []),
    ...(operation.errors ?? []),
  ]);
  const responses: Record<string, Json> = {};
  for (const status of [...statuses].sort((a, b) => a - b))
    responses[status] = components.error(status, shapeOf(url, operation));
  for (const [status, answer] of Object.entries(operation.answers))
    responses[status] = answerObject(answer, components);
  const scopeText =
    scopes === null
      ? 'Needs no token.'
      : `Needs the scope ${scopes.map((scope) => `\`${scope}\``).join(' or ')}.`;
  return {
    operationId: operationId(route),
    summary: operation.summary,
    description: [operation.description, scopeText].filter((text) => text !== undefined).join(' '),
    // One of the requirements is enough; none at all is the empty one.
    security: scopes === null ? [] : scopes.map((scope) => ({ token: [scope] })),
    parameters: parametersOf(url, operation),
    ...(operation.body ? { requestBody: bodyObject(operation.body, components) } : {}),
    responses,
  };
}

type ErrorShape = 'Error' | 'ProtocolError' | 'UploadError';

function shapeOf(url: string, { tus }: Operation): ErrorShape {
  if (isProtocolPath(url)) return 'ProtocolError';
  return tus ? 'UploadError' : 'Error';
}

function operationId({ method, url }: Route): string {
  const words = url.split(/[/:.-]/).filter((word) => word !== '');
  return [
    method.toLowerCase(),
    ...words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`),
  ].join('');
}

function parametersOf(url: string, { path = {}, query = {}, headers = [] }: Operation): Json[] {
  return [
    ...[...url.matchAll(/:([A-Za-z]+)/g)].map(([, name = '']) => ({
      name,
      in: 'path',
      required: true,
      description: path[name] ?? '',
      schema: { type: 'string' },
    })),
    ...Object.entries(query).map(([name, { description, schema, required }]) => ({
      name,
      in: 'query',
      required,
      description,
      schema: jsonSchema(schema, 'input'),
    })),
    ...(['X-Request-Id', ...headers] as const).map((name) => ({
      name,
      in: 'header',
      required: false,
      description: REQUEST_HEADERS[name],
      schema: { type: 'string' },
    })),
  ];
}

function bodyObject({ required, content }: Body, components: Components): Json {
  return { required, content: contentObject(content, components, 'input') };
}

function answerObject({ description, content, headers = [] }: Answer, components: Components): Json {
  return {
    description,
    headers: headerRefs(headers),
    ...(content ? { content: contentObject(content, components, 'output') } : {}),
  };
}

function contentObject(
  content: Readonly<Record<string, NamedSchema | null>>,
  components: Components,
  io: Direction,
): Json {
  return Object.fromEntries(
    Object.entries(content).map(([type, schema]) => [
      type,
      schema ? { schema: components.ref(schema, io) } : {},
    ]),
  );
}

function headerRefs(headers: readonly AnswerHeader[]): Json {
  return Object.fromEntries(
    (['X-Request-Id', ...headers] as const).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}

type Direction = 'input' | 'output';

function jsonSchema(schema: z.ZodType, io: Direction): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

/** What operations share, by name. */
class Components {
  readonly schemas: Record<string, Json> = {};
  readonly responses: Record<string, Json> = {};

  ref({ name, schema }: NamedSchema, io: Direction): Json {
    this.schemas[name] ??= jsonSchema(schema, io);
    return { $ref: `#/components/schemas/${name}` };
  }

  error(status: ErrorStatus, shape: ErrorShape): Json {
    const name = `${shape}${status}`;
    const { description, headers = [] } = errorFacts(status);
    const own = this.ref(
      shape === 'ProtocolError'
        ? named('ProtocolError', protocolErrorSchema)
        : named('Error', agentErrorSchema),
      'output',
    );
    const schema = UNREAD_STATUSES.includes(status)
      ? { anyOf: [own, this.ref(named('UnreadError', unreadErrorSchema), 'output')] }
      : own;
    this.responses[name] ??= {
      description,
      headers: headerRefs(shape === 'UploadError' ? [...headers, 'Tus-Resumable'] : headers),
      content: { 'application/json': { schema } },
    };
    return { $ref: `#/components/responses/${name}` };
  }
}

const unreadErrorSchema = z.object({ detail: z.string(), error: z.string() });
