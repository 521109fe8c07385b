import { BrowserWindow, type Session, session } from 'electron';
import { APP_SCHEME } from './addresses.ts';

/** Longest a report may take to be laid out and printed, in milliseconds. */
const DEADLINE_MS = 60_000;

/** Inline styles and pictures, and nothing else: no script runs, nothing is loaded. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
const FOOTER =
  '<div style="width:100%;font-size:8px;text-align:center"><span class="pageNumber"></span> / <span class="totalPages"></span></div>';

/** Documents being printed, by their path. They stay in memory: a report never touches the disk unencrypted for this. */
const documents = new Map<string, string>();
let count = 0;
let prepared: Session | undefined;

/** A session of its own, without the network, the preload and anything the main window may do. */
function printSession(): Session {
  if (prepared !== undefined) return prepared;
  const own = session.fromPartition('print');
  own.protocol.handle(APP_SCHEME, (request) => {
    const html = documents.get(new URL(request.url).pathname);
    return html === undefined
      ? new Response(null, { status: 404 })
      : new Response(html, {
          headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY },
        });
  });
  own.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  own.setPermissionCheckHandler(() => false);
  own.webRequest.onBeforeRequest(
    { urls: ['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*'] },
    (_details, answer) => answer({ cancel: true }),
  );
  prepared = own;
  return own;
}

/** Prints an HTML page that the program itself made into a PDF on A4, in a window that is never shown. */
export async function printPdf(html: string): Promise<Uint8Array> {
  count += 1;
  const path = `/${count}`;
  documents.set(path, html);
  const window = new BrowserWindow({
    show: false,
    webPreferences: {
      session: printSession(),
      javascript: false,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
    },
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const printed = (async () => {
      await window.loadURL(`${APP_SCHEME}://print${path}`);
      return window.webContents.printToPDF({
        pageSize: 'A4',
        printBackground: true,
        displayHeaderFooter: true,
        headerTemplate: '<span></span>',
        footerTemplate: FOOTER,
      });
    })();
    const late = new Promise<never>((_, failed) => {
      timer = setTimeout(() => failed(new Error('The report was not printed in time.')), DEADLINE_MS);
    });
    return new Uint8Array(await Promise.race([printed, late]));
  } finally {
    clearTimeout(timer);
    documents.delete(path);
    window.destroy();
  }
}
