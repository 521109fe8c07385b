/** The inference process's end of its socket to the agent. */
import { Socket } from 'node:net';
import type { WorkerPort } from '../../shared/node/worker-port.ts';
import { encodeFrame, FrameReader } from './frames.ts';

/** The file descriptor of the socket, in the inference process. */
export const WORKER_FD = 3;

/** The process ends with the agent. */
export function openSocketPort(): WorkerPort {
  const socket = new Socket({ fd: WORKER_FD, readable: true, writable: true });
  socket.on('error', () => {});
  socket.on('close', () => process.exit(0));
  return {
    postMessage: (message) => {
      socket.write(encodeFrame(message as object));
    },
    onMessage: (listener) => {
      const reader = new FrameReader();
      socket.on('data', (chunk) => {
        for (const message of reader.read(chunk)) listener(message);
      });
    },
  };
}
