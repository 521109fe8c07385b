import type { LaunchProgram } from '../ports/processes.ts';
import type { PlayerConfig, PlayerCounts } from './player.ts';

export interface Traffic {
  counts(): PlayerCounts;
  stop(): void;
}

/** Starts the traffic player in a process of its own, so that what is measured is not this process's event loop. */
export function startTraffic(launch: LaunchProgram, playerEntry: string, config: PlayerConfig): Traffic {
  const program = launch(playerEntry, []);
  let counts: PlayerCounts = { sent: 0, answered: 0, failed: 0, versions: {}, lastFailure: '' };
  program.onMessage((message) => {
    counts = message as PlayerCounts;
  });
  // Nobody reads its output; left unread it would block once the pipe is full.
  program.stdout.resume();
  program.stderr.resume();
  program.postMessage(config);
  return { counts: () => counts, stop: () => program.end('kill') };
}
