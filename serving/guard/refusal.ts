/** An answer given at the door, before a request's body was read. */
export interface Refusal {
  readonly status: number;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;
}

export function refusal(status: number, detail: string, headers: Record<string, string> = {}): Refusal {
  return { status, detail, headers };
}
