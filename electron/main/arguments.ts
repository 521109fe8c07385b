import { parseArgs } from 'node:util';

export interface DesktopArguments {
  /** Open the sample workspace in place of the user's own vault. */
  readonly sample: boolean;
  readonly vault: string | null;
}

/**
 * The arguments of the window. Unknown ones are left alone: Chromium and the desktop pass their own
 * (`--no-sandbox`, `--enable-features=…`, `-psn_…`).
 */
export function readArguments(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): DesktopArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: { sample: { type: 'boolean', default: false }, vault: { type: 'string' } },
    strict: false,
  });
  const vault = typeof values.vault === 'string' ? values.vault : (env.SALLYPORT_VAULT ?? null);
  return { sample: values.sample === true, vault: vault === '' ? null : vault };
}
