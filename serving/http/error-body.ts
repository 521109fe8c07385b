import { isProtocolPath } from './openapi/document.ts';

export interface ErrorText {
  readonly detail: string;
  /** One of the program's own, where it has one. */
  readonly code?: string;
  readonly hint?: string | undefined;
}

/** What an error looks like under this path: as the Open Inference Protocol has it on `/v2`, else as `/predict` has it. */
export function errorBody(url: string, { detail, code, hint }: ErrorText): object {
  if (isProtocolPath(url)) return { error: hint === undefined ? detail : `${detail} ${hint}` };
  return { detail, ...(code === undefined ? {} : { code }), ...(hint === undefined ? {} : { hint }) };
}
