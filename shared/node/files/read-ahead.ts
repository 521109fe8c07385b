/**
 * Runs `read` for 0, 1, … `count` - 1 and yields the answers in that order. While one is being used, up to `ahead`
 * further reads are under way: what `read` fills for an index may be reused `ahead` + 1 indices later at the earliest.
 * No read is left running when the iteration ends, however it ends.
 */
export async function* readAhead<T>(
  count: number,
  ahead: number,
  read: (index: number) => Promise<T>,
): AsyncGenerator<T, void, undefined> {
  const running: Promise<T>[] = [];
  let next = 0;
  const fill = (): void => {
    while (running.length < ahead && next < count) {
      const reading = read(next++);
      // It is waited for in its turn; until then a failure of it is nobody's unhandled rejection.
      reading.catch(() => {});
      running.push(reading);
    }
  };
  try {
    fill();
    for (;;) {
      const reading = running.shift();
      if (reading === undefined) return;
      const value = await reading;
      fill();
      yield value;
    }
  } finally {
    await Promise.allSettled(running);
  }
}
