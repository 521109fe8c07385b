/** The inference process's end of what it and the agent say to each other. */
import { Socket } from 'node:net';
import type { WorkerPort } from '../../shared/node/worker-port.ts';
import { ANSWER_LIMITS, encodeFrame, FrameReader, QUESTION_LIMITS } from './frames.ts';

/**
 * File descriptors in the inference process. One for each way: a failed write closes the whole of a socket, and what the
 * other side had said before would be lost with it.
 */
export const QUESTION_FD = 3;
export const ANSWER_FD = 4;

/** The process ends with the agent. */
export function openSocketPort(): WorkerPort {
  const questions = new Socket({ fd: QUESTION_FD, readable: true, writable: false });
  const answers = new Socket({ fd: ANSWER_FD, readable: false, writable: true });
  for (const socket of [questions, answers]) {
    socket.on('error', () => {});
    socket.on('close', () => process.exit(0));
  }
  return {
    postMessage: (message) => {
      answers.write(encodeFrame(message as object, ANSWER_LIMITS));
    },
    onMessage: (listener) => {
      const reader = new FrameReader(QUESTION_LIMITS);
      questions.on('data', (chunk) => {
        for (const message of reader.read(chunk)) listener(message);
      });
    },
  };
}
