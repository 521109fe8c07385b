// The least an application can show: one window, one static page. What starting anything here costs.
import { app, BrowserWindow, protocol } from 'electron';

protocol.registerSchemesAsPrivileged([{ scheme: 'static', privileges: { standard: true, secure: true } }]);

const PAGE = '<!doctype html><title>static</title><div id="root"><button>ready</button></div>';

await app.whenReady();
protocol.handle(
  'static',
  () => new Response(PAGE, { headers: { 'content-type': 'text/html; charset=utf-8' } }),
);
app.on('window-all-closed', () => app.quit());
const window = new BrowserWindow({ width: 1360, height: 880, show: true });
await window.loadURL('static://page/');
