/** Debian's `wrk`: a load generator that costs little beside what it asks. */
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface WrkRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent again and again. */
  readonly body: Uint8Array | string;
  readonly seconds: number;
  readonly connections: number;
  /** Mean milliseconds each connection waits before a request, so that a server is not asked all it can; 0 = none. */
  readonly pauseMs?: number;
}

export interface WrkReport {
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Answers that were no 2xx, and connections that broke. */
  readonly failed: number;
}

/** Throws where it is not installed. */
export function requireWrk(): void {
  if (spawnSync('wrk', ['-v']).error)
    throw new Error(
      'wrk is missing. `npm run bench` installs it where it may; else: sudo apt-get install wrk',
    );
}

// Pauses from half to one and a half times the mean; wrk takes whole milliseconds, so 2.5 is 2 or 3 by chance.
const SCRIPT = `
local pause = 0
function init(args)
  local file = io.open(args[1], "rb")
  wrk.body = file:read("*a")
  file:close()
  wrk.method = "POST"
  pause = tonumber(args[2])
  math.randomseed(tonumber(args[3]) + os.time())
end
function delay()
  if pause == 0 then return 0 end
  return math.floor((0.5 + math.random()) * pause + math.random())
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"us":%d,"p50":%.4f,"p99":%.4f,"failed":%d}\\n', summary.requests,
    summary.duration, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    e.status + e.connect + e.read + e.write + e.timeout))
end
`;

/** Several may run at once, each with files of its own. */
let runs = 0;

/** One run; `directory` holds its script and body. */
export async function wrk(directory: string, request: WrkRequest): Promise<WrkReport> {
  const run = runs++;
  const script = join(directory, `load-${run}.lua`);
  const body = join(directory, `body-${run}`);
  writeFileSync(script, SCRIPT);
  writeFileSync(body, request.body);
  const child = spawn(
    'wrk',
    [
      ...['-t', '1', '-c', String(request.connections), '-d', `${request.seconds}s`, '--timeout', '10s'],
      ...Object.entries(request.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
      ...['-s', script, request.url, '--', body, String(request.pauseMs ?? 0), '1'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  const line = /^RESULT (.*)$/m.exec(text)?.[1];
  if (code !== 0 || line === undefined) throw new Error(`wrk ended with ${String(code)}: ${text}`);
  const { requests, us, p50, p99, failed } = JSON.parse(line) as Record<string, number>;
  return {
    requestsPerSecond: (requests ?? 0) / ((us ?? 1) / 1e6),
    p50: p50 ?? Number.NaN,
    p99: p99 ?? Number.NaN,
    failed: failed ?? 0,
  };
}
