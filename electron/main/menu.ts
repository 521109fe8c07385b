import { Menu, type MenuItemConstructorOptions } from 'electron';

/** Commands the window acts on (`menu.command`): the menu knows their names, the window what they do. */
export type MenuCommand = 'models.add' | 'session.lock' | 'palette.open' | 'shortcuts.show' | 'settings.open';

/** The application menu. Editing and zoom are the platform's own roles. */
export function installMenu(send: (command: MenuCommand) => void, platform: NodeJS.Platform): void {
  const command = (label: string, name: MenuCommand, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    ...(accelerator === undefined ? {} : { accelerator }),
    click: () => send(name),
  });
  const template: MenuItemConstructorOptions[] = [
    ...(platform === 'darwin' ? [{ role: 'appMenu' } satisfies MenuItemConstructorOptions] : []),
    {
      label: 'File',
      submenu: [
        command('Add a model…', 'models.add', 'CmdOrCtrl+O'),
        command('Lock', 'session.lock', 'CmdOrCtrl+Shift+L'),
        { type: 'separator' },
        command('Settings', 'settings.open', 'CmdOrCtrl+,'),
        { type: 'separator' },
        { role: platform === 'darwin' ? 'close' : 'quit' },
      ],
    },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        // The window itself listens for the key of the palette: this entry is for those who look in menus.
        command('Command palette', 'palette.open'),
        { type: 'separator' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
      ],
    },
    { label: 'Help', submenu: [command('Keyboard shortcuts', 'shortcuts.show')] },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}
