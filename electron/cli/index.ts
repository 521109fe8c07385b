#!/usr/bin/env node
/** `sallyport`: the command line on Node. The same services as the window; see the README for verbs and exit codes. */
import { programFiles } from '../adapters/system/program.ts';
import { runCli } from './run.ts';

process.exitCode = await runCli(process.argv.slice(2), {
  files: programFiles(import.meta.dirname, import.meta.filename),
  pollMs: 250,
});
