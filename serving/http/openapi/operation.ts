/** What is said of a route in the OpenAPI document. */
import type { z } from 'zod';

/** `METHOD path` as the route is registered, e.g. `GET /models/:name/versions`. */
export type Operations = Readonly<Record<string, Operation>>;

export interface Operation {
  readonly summary: string;
  readonly description?: string;
  /** Of a path with parameters, what each is. */
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, QueryParameter>>;
  /** Headers a caller may send, of those that `HEADERS` describes. */
  readonly headers?: readonly RequestHeader[];
  readonly body?: Body;
  /** By status: everything the route answers itself when nothing is wrong. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Statuses of errors beyond those that the door and the body already bring. */
  readonly errors?: readonly ErrorStatus[];
  /** Spoken by tus, whose answers all say its version. */
  readonly tus?: true;
}

export interface QueryParameter {
  readonly description: string;
  readonly schema: z.ZodType;
  readonly required: boolean;
}

export interface Body {
  readonly required: boolean;
  /** By media type; null = bytes. */
  readonly content: Readonly<Record<string, NamedSchema | null>>;
}

export interface Answer {
  readonly description: string;
  /** By media type; null = bytes. Left out: no body. */
  readonly content?: Readonly<Record<string, NamedSchema | null>>;
  readonly headers?: readonly AnswerHeader[];
}

/** A schema under its name among the document's components. */
export interface NamedSchema {
  readonly name: string;
  readonly schema: z.ZodType;
}

export function named(name: string, schema: z.ZodType): NamedSchema {
  return { name, schema };
}

/** JSON of this schema. */
export function json(name: string, schema: z.ZodType): Readonly<Record<string, NamedSchema>> {
  return { 'application/json': named(name, schema) };
}

export const REQUEST_HEADERS = {
  'X-Routing-Key':
    'What keeps a caller on one version while traffic is split: calls with the same key see the same version. Without it the request id decides.',
  'X-Request-Id': 'The caller’s id of this request, letters, digits and `._:-`; answered as it came.',
  'Inference-Header-Content-Length':
    'Length of the JSON in bytes, where binary tensors follow it. Left out: the whole body is JSON.',
  'Content-Encoding': '`gzip` or `deflate`, where the body is compressed.',
  'Accept-Encoding': 'With `gzip` or `deflate` a large answer may come compressed.',
  'Tus-Resumable': 'Version of the tus protocol: `1.0.0`.',
  'Upload-Length': 'Length of the file in bytes.',
  'Upload-Offset': 'Where in the file this piece starts.',
  'Upload-Metadata': '`root` and `name` of the file, as tus writes metadata.',
} as const;
export type RequestHeader = keyof typeof REQUEST_HEADERS;

export const ANSWER_HEADERS = {
  'X-Request-Id': 'The id of this request, in the logs too.',
  'Retry-After': 'Seconds to wait before the next try.',
  'WWW-Authenticate': '`Bearer`.',
  RateLimit: 'What is left of the caller’s allowance.',
  'RateLimit-Policy': 'The caller’s allowance.',
  'Accept-Encoding': 'Encodings of a body that are taken.',
  'Inference-Header-Content-Length': 'Length of the JSON in bytes, where binary tensors follow it.',
  'Content-Encoding': 'How the body is compressed, if it is.',
  'Tus-Resumable': 'Version of the tus protocol.',
  'Upload-Offset': 'How much of the file is there.',
  'Upload-Length': 'Length of the file in bytes.',
  Location: 'Where the upload is continued.',
} as const;
export type AnswerHeader = keyof typeof ANSWER_HEADERS;

interface ErrorFacts {
  readonly description: string;
  readonly headers?: readonly AnswerHeader[];
}

/** Every error status of the agent. */
export const ERRORS = {
  400: {
    description:
      'The request cannot be read: its headers, its path or its body are not what they claim to be.',
  },
  401: { description: 'There is no valid token.', headers: ['WWW-Authenticate'] },
  403: { description: 'The address is not let in, or the token does not have the scope.' },
  404: { description: 'There is no such thing here.' },
  408: { description: 'The request took too long to arrive.' },
  409: { description: 'Another hand was faster, or the state does not allow it. Nothing was changed.' },
  410: { description: 'It is not there any more.' },
  412: { description: 'The version of the tus protocol is not spoken here.' },
  413: { description: 'The body is too large, or has too many rows.' },
  414: { description: 'The path is too long.' },
  415: {
    description: 'The body is of a type, or in an encoding, that is not taken here.',
    headers: ['Accept-Encoding'],
  },
  422: {
    description: 'The request can be read and does not fit: the text names the field, the input, the row.',
  },
  429: {
    description: 'Too many at once, or too many a second.',
    headers: ['Retry-After', 'RateLimit', 'RateLimit-Policy'],
  },
  431: { description: 'The headers are too long, or too many.' },
  500: {
    description: 'Something failed in the agent or in the model; the log has it under the request’s id.',
  },
  503: {
    description: 'Not now: too much to do, starting, stopping, or no version that may serve.',
    headers: ['Retry-After'],
  },
  504: { description: 'The model did not answer in time.' },
  507: { description: 'The disk is full, or cannot be written. What is served did not change.' },
} as const satisfies Readonly<Record<number, ErrorFacts>>;
export type ErrorStatus = keyof typeof ERRORS;

export function errorFacts(status: ErrorStatus): ErrorFacts {
  return ERRORS[status];
}

/** What the listener may answer to any request, before a route sees it. */
export const ANY_REQUEST: readonly ErrorStatus[] = [400, 403, 408, 414, 429, 431, 500, 503];
/** What it may answer beyond that where a token is asked for, and where a body is taken. */
export const WITH_TOKEN: readonly ErrorStatus[] = [401];
export const WITH_BODY: readonly ErrorStatus[] = [413, 415];
