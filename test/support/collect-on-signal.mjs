/**
 * Imported into an agent that a test watches: at each SIGUSR2 all memory is given back that can be, and what is left of the
 * heap is told on stderr, in bytes. Needs `--expose-gc`.
 */
process.on('SIGUSR2', () => {
  globalThis.gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  process.stderr.write(`${JSON.stringify({ held: process.memoryUsage().heapUsed })}\n`);
});
