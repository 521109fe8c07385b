import { fork } from 'node:child_process';
import type { PlayerConfig, PlayerCounts } from './player.ts';

export interface Traffic {
  counts(): PlayerCounts;
  stop(): void;
}

/** Starts the traffic player in a process of its own, so that what is measured is not this process's event loop. */
export function startTraffic(playerEntry: string, config: PlayerConfig): Traffic {
  const child = fork(playerEntry, [], {
    serialization: 'advanced',
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
  });
  let counts: PlayerCounts = { sent: 0, answered: 0, failed: 0, versions: {}, lastFailure: '' };
  child.on('message', (message) => {
    counts = message as PlayerCounts;
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.removeListener('exit', kill));
  child.send(config);
  return { counts: () => counts, stop: kill };
}
