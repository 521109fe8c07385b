import { app, protocol } from 'electron';
import { APP_SCHEME } from './addresses.ts';
import { bootstrap } from './bootstrap.ts';

// Once, and before the application is ready: Electron's rule for privileged schemes.
protocol.registerSchemesAsPrivileged([
  { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
]);

bootstrap().catch((error: unknown) => {
  console.error(`Sallyport could not start: ${error instanceof Error ? error.message : String(error)}`);
  app.exit(1);
});
