/** A dialog drawn over the page by the stand-in. It is sent to Chromium as source text: nothing from outside. */

export interface OverlayView {
  readonly title: string;
  readonly detail: string;
  /** The first is the affirmative one. */
  readonly buttons: readonly string[];
  /** Text of the path field; null when the dialog is only a message. */
  readonly path: string | null;
  readonly entries: readonly { readonly name: string; readonly label: string }[];
  readonly note: string;
}

export type OverlayAnswer =
  | { readonly kind: 'button'; readonly index: number; readonly path: string }
  | { readonly kind: 'entry'; readonly path: string };

interface Node {
  style: Record<string, string>;
  textContent: string;
  value: string;
  append(...nodes: Node[]): void;
  remove(): void;
  focus(): void;
  showModal(): void;
  setAttribute(name: string, value: string): void;
  attachShadow(options: { mode: 'closed' }): Node;
  addEventListener(
    type: string,
    run: (event: { key?: string; preventDefault(): void; stopPropagation(): void }) => void,
  ): void;
}

/** Shows the dialog and answers what was pressed; null when it was dismissed. Styles go through the CSSOM, which a strict CSP allows. */
export function showOverlay(view: OverlayView): Promise<OverlayAnswer | null> {
  const { document } = globalThis as unknown as {
    document: { createElement(tag: string): Node; body: Node };
  };
  const make = (tag: string, style: Record<string, string>, text = ''): Node => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(style)) node.style[key] = value;
    node.textContent = text;
    return node;
  };
  return new Promise((done) => {
    const host = make('div', {});
    const root = host.attachShadow({ mode: 'closed' });
    const dialog = make('dialog', {
      width: '560px',
      maxWidth: '90vw',
      padding: '20px',
      border: '1px solid #888',
      borderRadius: '8px',
      font: '14px sans-serif',
      colorScheme: 'light dark',
      background: 'Canvas',
      color: 'CanvasText',
    });
    dialog.setAttribute('aria-label', view.title);
    dialog.append(make('div', { fontWeight: '600', marginBottom: '8px' }, view.title));
    if (view.detail !== '')
      dialog.append(make('div', { marginBottom: '12px', whiteSpace: 'pre-wrap' }, view.detail));
    const field = make('input', {
      width: '100%',
      boxSizing: 'border-box',
      padding: '6px',
      font: '13px monospace',
    });
    const finish = (answer: OverlayAnswer | null): void => {
      host.remove();
      done(answer);
    };
    const press = (index: number): void => finish({ kind: 'button', index, path: field.value });
    if (view.path !== null) {
      field.value = view.path;
      field.setAttribute('aria-label', 'Path');
      dialog.append(field);
      if (view.note !== '') dialog.append(make('div', { marginTop: '6px', color: 'crimson' }, view.note));
      const list = make('div', {
        height: '280px',
        overflow: 'auto',
        margin: '10px 0',
        border: '1px solid #8886',
      });
      for (const entry of view.entries) {
        const row = make(
          'button',
          {
            display: 'block',
            width: '100%',
            textAlign: 'left',
            border: '0',
            background: 'none',
            color: 'inherit',
            padding: '4px 8px',
            cursor: 'pointer',
          },
          entry.label,
        );
        row.addEventListener('click', () => finish({ kind: 'entry', path: entry.name }));
        list.append(row);
      }
      dialog.append(list);
    }
    const row = make('div', { display: 'flex', gap: '8px', justifyContent: 'flex-end' });
    view.buttons.forEach((label, index) => {
      const button = make('button', { padding: '6px 14px' }, label);
      button.addEventListener('click', () => press(index));
      row.append(button);
    });
    dialog.append(row);
    dialog.addEventListener('keydown', (event) => {
      // Keys of the dialog are not the page's.
      event.stopPropagation();
    });
    field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      press(0);
    });
    dialog.addEventListener('cancel', () => finish(null));
    root.append(dialog);
    document.body.append(host);
    dialog.showModal();
    if (view.path !== null) field.focus();
  });
}
