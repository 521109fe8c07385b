/** How figures, sizes and times are written. One place, so that a number looks the same on every screen. */

const NOT_MEASURED = '–';
const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `380 KiB`, `5.9 MiB`: three figures at most. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < BINARY_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${BINARY_UNITS[unit]}`;
}

/** `12,480`. Always with a comma, whatever the machine's language: reports are compared across sites. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A metric in 0..1 (or -1..1): four decimals, so that two models can be told apart. */
export function formatMetric(value: number | null): string {
  return value === null ? NOT_MEASURED : value.toFixed(4);
}

/** A share in 0..1 as percent. */
export function formatShare(value: number | null, digits = 2): string {
  return value === null ? NOT_MEASURED : `${(value * 100).toFixed(digits)} %`;
}

/** Milliseconds: `0.42 ms`, `38 ms`, `1.20 s`. */
export function formatMs(value: number | null): string {
  if (value === null) return NOT_MEASURED;
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  return `${value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)} ms`;
}

/** A length of time: `45 s`, `5 min`, `1 h 20 min`, `3 d`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d`;
}

/** A signed difference: `+0.0123`, `−0.0040`, with a true minus sign. */
export function formatDelta(value: number | null, digits = 4): string {
  if (value === null) return NOT_MEASURED;
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return `±${text}`;
  return value > 0 ? `+${text}` : `−${text}`;
}

/** The first and last characters of a digest: enough to tell apart, short enough for a table. */
export function shortDigest(digest: string, head = 8, tail = 6): string {
  return digest.length <= head + tail + 1
    ? digest
    : `${digest.slice(0, head)}…${tail === 0 ? '' : digest.slice(-tail)}`;
}

/** A fingerprint in groups of four, as people read it aloud. */
export function groupedDigest(digest: string): string {
  return digest.replace(/(.{4})(?=.)/g, '$1 ');
}

/** `3 min ago`, `in 2 h`, `yesterday`: how long ago `at` was, seen from `now` (both ISO 8601 or ms). */
export function formatAgo(at: string, now: number): string {
  const then = Date.parse(at);
  if (Number.isNaN(then)) return at;
  const seconds = Math.round((now - then) / 1000);
  const distance = Math.abs(seconds);
  if (distance < 10) return 'just now';
  const [value, unit] =
    distance < 60
      ? [distance, 's']
      : distance < 3600
        ? [Math.floor(distance / 60), 'min']
        : distance < 86_400
          ? [Math.floor(distance / 3600), 'h']
          : [Math.floor(distance / 86_400), 'd'];
  return seconds >= 0 ? `${value} ${unit} ago` : `in ${value} ${unit}`;
}

/** `2026-11-22 14:03:09` in the machine's time zone. */
export function formatInstant(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `14:03:09`, for chart axes and timelines. */
export function formatClock(at: string): string {
  return formatInstant(at).slice(11);
}

/** File name of a path of either platform. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}

/** `1 endpoint`, `3 endpoints`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
