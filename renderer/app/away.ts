import { type QueryClient, QueryObserver } from '@tanstack/react-query';

/**
 * Keeps every cached answer for as long as a page waits behind the sign-in form, where nothing else holds on to them.
 * Nothing is asked for meanwhile. The returned function lets go.
 */
export function holdAnswers(client: QueryClient): () => void {
  const stops = client
    .getQueryCache()
    .getAll()
    .map((query) =>
      new QueryObserver(client, { ...query.options, queryKey: query.queryKey, enabled: false }).subscribe(
        () => undefined,
      ),
    );
  return () => {
    for (const stop of stops) stop();
  };
}

/**
 * Empties the passphrase fields of a page that waits behind the sign-in form: typed work is kept, secrets are not.
 * The field's own setter and an `input` event, so that React takes it for typing.
 */
export function forgetPassphrases(page: ParentNode): void {
  const setter = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set;
  // Shown in clear by its eye, a passphrase field is of the type text and is known by its class only.
  for (const field of page.querySelectorAll<HTMLInputElement>(
    'input[type="password"], input.mantine-PasswordInput-innerInput',
  )) {
    if (field.value === '') continue;
    setter?.call(field, '');
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }
}
