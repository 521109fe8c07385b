import { join } from 'node:path';
import { app, powerMonitor } from 'electron';
import { programFiles } from '../adapters/system/program.ts';
import { createConsoleFactory } from '../compose.ts';
import { registerHandlers } from '../ipc/handlers.ts';
import type { Router } from '../ipc/router.ts';
import { openSampleWorkspace } from '../sample/desktop.ts';
import type { DesktopArguments } from './arguments.ts';
import { createDesk } from './desk.ts';
import { forkUtilityWorker } from './fork-worker.ts';
import { launchUtilityProgram } from './launch-program.ts';
import type { Draining } from './lifecycle.ts';
import { printPdf } from './print-pdf.ts';

export interface DesktopOptions extends DesktopArguments {
  readonly router: Router;
  readonly onError: (error: unknown) => void;
}

/** Composes the services behind the window. Loaded late: the window must not wait for native modules. */
export async function startDesktop({ sample, vault, router, onError }: DesktopOptions): Promise<Draining> {
  const files = programFiles(import.meta.dirname, import.meta.filename);
  const factory = createConsoleFactory({
    files,
    forkWorker: forkUtilityWorker((entry) => files.worker(entry)),
    launch: launchUtilityProgram,
  });
  const events = {
    onRollout: (view: Parameters<typeof router.broadcast<'rollout.updated'>>[1]) =>
      router.broadcast('rollout.updated', view),
    onError,
  };
  const directory = join(app.getPath('userData'), 'workspace');
  const desk = createDesk({
    factory,
    vaultPath: factory.vaultPath(vault ?? join(app.getPath('userData'), 'vault')),
    runtime:
      process.versions.electron === undefined ? 'Chromium stand-in' : `Electron ${process.versions.electron}`,
    version: app.getVersion(),
    events,
    onChange: (topics) => router.broadcast('invalidated', { topics: [...topics] }),
    printPdf,
    systemIdleMs: () => powerMonitor.getSystemIdleTime() * 1000,
    onProgress: (progress) => router.broadcast('job.progress', progress),
  });
  registerHandlers(router, desk);
  // The window is answered while the sample is made: its first start takes seconds.
  const workspace = sample
    ? openSampleWorkspace({ factory, directory, events, onError, adopt: desk.adopt })
    : null;
  if (workspace !== null) desk.prepare(workspace);
  return {
    lock: async () => {
      await desk.signOut();
    },
    close: async () => {
      await desk.close();
      await workspace?.then((opened) => opened.close()).catch(() => undefined);
    },
  };
}
