/**
 * The one closed list of error codes. Every refusal in the program is a `SallyportError` with one of them;
 * each edge (window, command line, HTTP) turns it into its own form once.
 */
export const ERROR_CODES = {
  // input
  usage: 2,
  'input.invalid': 2,
  'model.not-onnx': 2,
  'model.truncated': 2,
  'model.unsupported': 2,
  'model.unmappable': 2,
  'dataset.invalid': 2,
  'dataset.columns': 2,
  'dataset.label-missing': 2,
  'dataset.not-numeric': 2,
  'dataset.non-finite': 2,
  // state
  'not-found': 3,
  conflict: 4,
  'refused.role': 4,
  'refused.policy': 4,
  'refused.gate': 4,
  'refused.scan': 4,
  'refused.quorum': 4,
  'refused.state': 4,
  'refused.environment': 4,
  'refused.expired': 4,
  // integrity
  'integrity.artifact': 5,
  'integrity.signature': 5,
  'integrity.audit': 5,
  'integrity.vault': 5,
  'integrity.endpoint': 5,
  // keys
  locked: 6,
  'auth.failed': 6,
  'keychain.missing': 6,
  'keychain.locked': 6,
  'keychain.cancelled': 6,
  'keychain.changed': 6,
  'vault.newer': 6,
  // elsewhere
  'endpoint.unreachable': 7,
  'endpoint.unauthorized': 7,
  'endpoint.refused': 7,
  'endpoint.stale': 7,
  'engine.crashed': 1,
  'engine.timeout': 1,
  'engine.memory': 1,
  cancelled: 1,
  'disk.full': 1,
  'disk.read-only': 1,
  unexpected: 1,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Exit code of the command line for an error code (see the README's table). */
export function exitCodeOf(code: ErrorCode): number {
  return ERROR_CODES[code];
}

export interface ErrorDetails {
  /** What was kept, what to do next: one sentence, shown under the message. */
  readonly hint?: string;
  /** Machine-readable facts: the row, the column, the rule. Never a secret. */
  readonly facts?: Readonly<Record<string, string | number | boolean | null>>;
  readonly cause?: unknown;
}

/** Thrown inside, turned into a Result once at the edge. The message says what happened; `hint` what to do next. */
export class SallyportError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'SallyportError';
    this.code = code;
    this.hint = details.hint;
    this.facts = details.facts ?? {};
  }
}

/** Whether the disk takes no writes, as opposed to something being wrong with what is on it. */
export function isDiskRefusal(error: unknown): error is SallyportError {
  return error instanceof SallyportError && (error.code === 'disk.full' || error.code === 'disk.read-only');
}

/** Exhaustiveness guard of discriminated unions. */
export function assertNever(value: never): never {
  throw new SallyportError('unexpected', `Unhandled case: ${JSON.stringify(value)}`);
}
