/** A sample operator somebody chose in the banner: carried over signing out to the sign-in form, once. */
let chosen: { readonly name: string; readonly passphrase: string } | null = null;

export function holdPrefill(operator: { readonly name: string; readonly passphrase: string }): void {
  chosen = operator;
}

/** The choice, or null. Reading does not use it up; signing in does. */
export function heldPrefill(): { readonly name: string; readonly passphrase: string } | null {
  return chosen;
}

export function dropPrefill(): void {
  chosen = null;
}
