/** Holds real answers against an OpenAPI document: status, headers and body as it says, and nothing it does not say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';

interface MediaTypes {
  readonly [type: string]: { readonly schema?: object };
}
interface ResponseObject {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly content?: MediaTypes;
}
interface OperationObject {
  readonly operationId: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly requestBody?: { readonly required: boolean; readonly content: MediaTypes };
  readonly responses: Readonly<Record<string, ResponseObject | { readonly $ref: string }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly responses: Readonly<Record<string, ResponseObject>>;
    readonly headers: Readonly<Record<string, object>>;
  };
}

/** An answer, wherever it was read. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export interface Asked {
  /** `METHOD path`, with parameters in braces as the document has them. */
  readonly operation: string;
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** null = none is sent. */
  readonly token?: string | null;
}

const SCHEMA = join(import.meta.dirname, '..', 'fixtures', 'openapi', 'schema-3.1.json');

export class ApiDocument {
  readonly document: Document;
  /** `METHOD path status` of everything that was seen. */
  readonly seen = new Set<string>();
  /** Names of shared responses that were seen. */
  readonly seenShared = new Set<string>();
  readonly #base: string;
  readonly #token: string;
  readonly #ajv = new Ajv2020({
    strict: true,
    allErrors: true,
    validateFormats: false,
    allowUnionTypes: true,
  });

  private constructor(document: Document, base: string, token: string) {
    this.document = document;
    this.#base = base;
    this.#token = token;
    this.#ajv.addSchema({ $id: 'openapi:/document', $defs: document.components.schemas });
  }

  static async read(base: string, token: string): Promise<ApiDocument> {
    const response = await fetch(`${base}/openapi.json`);
    expect(response.status).toBe(200);
    return new ApiDocument((await response.json()) as Document, base, token);
  }

  /** What is wrong with the document itself; an empty list where nothing is. */
  problems(): unknown[] {
    // The official schema's own words are known to the validator in part only.
    const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
    const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, 'utf8')) as object);
    return validate(this.document) ? [] : (validate.errors ?? []);
  }

  /** Compiles every schema: throws for one that is none. */
  compileAll(): number {
    const names = Object.keys(this.document.components.schemas);
    for (const name of names) this.#validator({ $ref: `#/components/schemas/${name}` });
    return names.length;
  }

  /** `METHOD path` of every operation. */
  get operations(): string[] {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  operation(name: string): OperationObject {
    const [method = '', path = ''] = name.split(' ');
    const found = this.document.paths[path]?.[method.toLowerCase()];
    if (!found) throw new Error(`the document has no ${name}`);
    return found;
  }

  /** Asks for real, and holds the answer against the document. */
  async ask({
    operation,
    path = {},
    query,
    headers = {},
    body,
    token = this.#token,
  }: Asked): Promise<Answered> {
    const [method = '', template = ''] = operation.split(' ');
    const url = template.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
      encodeURIComponent(path[name] ?? 'x'),
    );
    const isText = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(`${this.#base}${url}${query === undefined ? '' : `?${query}`}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined || isText ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isText ? (body as string) : JSON.stringify(body) }),
    });
    const answered = { status: response.status, headers: response.headers, body: await response.text() };
    this.check(operation, answered);
    return answered;
  }

  /** Fails the test where the answer is not one that the document has for this operation. */
  check(operation: string, { status, headers, body }: Answered): void {
    const where = `${operation} → ${status} ${body.slice(0, 300)}`;
    const found = this.operation(operation).responses[String(status)];
    expect(found, `${where} is documented`).toBeDefined();
    if (!found) return;
    this.seen.add(`${operation} ${status}`);
    const response = '$ref' in found ? this.#shared(found.$ref) : found;
    const documented = new Set(Object.keys(response.headers).map((name) => name.toLowerCase()));
    for (const name of Object.keys(this.document.components.headers))
      if (headers.has(name))
        expect(documented.has(name.toLowerCase()), `${name} of ${where} is documented`).toBe(true);
    if (operation.startsWith('HEAD ')) return;
    const type = (headers.get('content-type') ?? '').split(';')[0] ?? '';
    if (!response.content) {
      expect(body, where).toBe('');
      return;
    }
    const media = response.content[type];
    expect(media, `${type} of ${where} is documented`).toBeDefined();
    if (!media?.schema) return;
    const validate = this.#validator(media.schema);
    expect(validate(JSON.parse(body)) ? [] : validate.errors, where).toEqual([]);
  }

  #shared(ref: string): ResponseObject {
    const name = ref.split('/').pop() ?? '';
    this.seenShared.add(name);
    const response = this.document.components.responses[name];
    if (!response) throw new Error(`the document has no response ${name}`);
    return response;
  }

  #validator(schema: object) {
    const text = JSON.stringify(schema).replaceAll('"#/components/schemas/', '"openapi:/document#/$defs/');
    return this.#ajv.compile(JSON.parse(text) as object);
  }
}
