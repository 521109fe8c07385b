import type * as Electron from 'electron';
import type { StandInApp } from './app.ts';
import type { Accelerator } from './page.ts';

type Template = Pick<
  Electron.MenuItemConstructorOptions,
  'label' | 'role' | 'type' | 'accelerator' | 'enabled' | 'visible' | 'checked' | 'id' | 'click' | 'submenu'
>;

interface Item {
  readonly id: string | undefined;
  readonly label: string;
  readonly role: string | undefined;
  readonly type: string;
  readonly accelerator: string | undefined;
  enabled: boolean;
  visible: boolean;
  checked: boolean;
  readonly submenu: StandInMenu | undefined;
  click(window?: unknown): void;
}

const KEYS: Readonly<Record<string, string>> = {
  space: ' ',
  esc: 'escape',
  return: 'enter',
  plus: '+',
  up: 'arrowup',
  down: 'arrowdown',
  left: 'arrowleft',
  right: 'arrowright',
  del: 'delete',
};

/** Electron's accelerator text ("CmdOrCtrl+Shift+K") as the fields of a keyboard event. */
export function parseAccelerator(text: string, platform: NodeJS.Platform): Omit<Accelerator, 'id'> {
  const parts = text.split('+').map((part) => part.trim().toLowerCase());
  const key = parts.pop() ?? '';
  const has = (...names: string[]): boolean => parts.some((part) => names.includes(part));
  const mac = platform === 'darwin';
  const either = has('cmdorctrl', 'commandorcontrol');
  return {
    ctrl: has('ctrl', 'control') || (either && !mac),
    meta: has('cmd', 'command', 'super', 'meta') || (either && mac),
    alt: has('alt', 'option'),
    shift: has('shift'),
    // "Ctrl++" ends with an empty part.
    key: key === '' ? '+' : (KEYS[key] ?? key),
  };
}

/** Electron's `Menu`, without a bar: what remains of it are the accelerators. */
export class StandInMenu {
  readonly items: readonly Item[];

  constructor(items: readonly Item[] = []) {
    this.items = items;
  }

  getMenuItemById(id: string): Item | null {
    for (const item of this.items) {
      if (item.id === id) return item;
      const inside = item.submenu?.getMenuItemById(id);
      if (inside !== undefined && inside !== null) return inside;
    }
    return null;
  }

  popup(): void {
    throw new Error('Menu.popup is not part of the Chromium stand-in.');
  }
}

/** The application menu and its dispatch. */
export class StandInMenus {
  onChange: (accelerators: readonly Accelerator[]) => void = () => undefined;
  readonly #app: StandInApp;
  #menu: StandInMenu | null = null;
  #bound: readonly Item[] = [];

  constructor(app: StandInApp) {
    this.#app = app;
  }

  build(template: readonly Template[]): StandInMenu {
    return new StandInMenu(
      template.map((entry) => {
        const item: Item = {
          id: entry.id,
          label: entry.label ?? entry.role ?? '',
          role: entry.role,
          type: entry.type ?? (entry.submenu === undefined ? 'normal' : 'submenu'),
          // Chromium brings the keys of the editing and zoom roles itself; leaving is ours to bring.
          accelerator: entry.accelerator ?? (entry.role === 'quit' ? 'CmdOrCtrl+Q' : undefined),
          enabled: entry.enabled ?? true,
          visible: entry.visible ?? true,
          checked: entry.checked ?? false,
          submenu: Array.isArray(entry.submenu)
            ? this.build(entry.submenu as readonly Template[])
            : undefined,
          click: (window) => {
            if (entry.role === 'quit') this.#app.quit();
            else
              (entry.click as ((item: unknown, window: unknown, event: object) => void) | undefined)?.(
                item,
                window,
                {},
              );
          },
        };
        return item;
      }),
    );
  }

  set(menu: StandInMenu | null): void {
    this.#menu = menu;
    const flatten = (of: StandInMenu | null | undefined): Item[] =>
      of?.items.flatMap((item) => [item, ...flatten(item.submenu)]) ?? [];
    this.#bound = flatten(menu).filter((item) => item.accelerator !== undefined);
    this.onChange(this.accelerators());
  }

  get(): StandInMenu | null {
    return this.#menu;
  }

  accelerators(): Accelerator[] {
    return this.#bound.map((item, id) => ({
      id,
      ...parseAccelerator(item.accelerator ?? '', process.platform),
    }));
  }

  run(id: number, window: unknown): void {
    const item = this.#bound[id];
    if (item?.enabled === true && item.visible) item.click(window);
  }
}
