/** `sallyport agent`: entry of the serving agent's own program, and of the inference processes it starts. */
export {};

const [command = '', ...rest] = process.argv.slice(2);

if (command === 'worker') {
  // Loaded by itself: an inference process gets nothing of the server.
  await import('./worker.ts');
} else {
  if (command === 'run') (await import('./heap.ts')).keepYoungSize();
  const { runCommand } = await import('./commands.ts');
  const code = await runCommand(command, rest, process.argv[1] ?? '');
  process.exitCode = code;
  // Electron's utility process does not end by itself, and an agent that failed must not seem to run, whatever keeps its
  // process: once what was printed is out, it is ended.
  if (command === 'run' || 'parentPort' in process)
    process.stderr.write('', () => process.stdout.write('', () => process.exit(code)));
}
