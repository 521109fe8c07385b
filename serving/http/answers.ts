/** Answers on their way: who waits for an end is told of it, and a client that does not take one loses its connection. */
import type { Socket } from 'node:net';

/** A request that was taken up, until its answer is written or its connection is gone. */
export class Answer {
  readonly socket: Socket;
  isOver = false;
  /** Told once, at its end. */
  callback: (() => void) | null = null;
  /** Its place among those being written; -1 = it is not one of them. */
  place = -1;
  /** The look after which it was begun to be written. */
  since = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }
}

/** How often one is looked at in the time it has. */
const LOOKS = 4;
const MOST_BETWEEN_LOOKS_MS = 1000;

/** The answers of one listener. All that are being written are looked at together: a timer for each would cost more. */
export class Answers {
  readonly #betweenLooksMs: number;
  readonly #looks: number;
  /**
   * By connection. Arrays, not Sets: one that is emptied with each request leaves a table behind, which holds the request
   * and the next table until a full garbage collection.
   */
  readonly #open = new WeakMap<Socket, Answer[]>();
  readonly #writing: Answer[] = [];
  readonly #onQuiet: () => void;
  #unfinished = 0;
  #look = 0;
  #timer: NodeJS.Timeout | null = null;

  /**
   * `timeoutMs` = how long a client has to take an answer; a look more is given to whoever came between two. `onQuiet` is
   * told whenever the last one ends that was begun.
   */
  constructor(timeoutMs: number, onQuiet: () => void = () => {}) {
    this.#onQuiet = onQuiet;
    this.#betweenLooksMs = Math.ceil(Math.min(MOST_BETWEEN_LOOKS_MS, timeoutMs / LOOKS));
    this.#looks = Math.ceil(timeoutMs / this.#betweenLooksMs);
  }

  /** Begun, and not ended. */
  get unfinished(): number {
    return this.#unfinished;
  }

  /**
   * Of a request that came in. A response waiting behind another one on its connection does not hear of the connection's
   * end itself, so each connection ends all of its own.
   */
  begin(socket: Socket): Answer {
    const answer = new Answer(socket);
    this.#unfinished++;
    const open = this.#open.get(socket) ?? this.#openOn(socket);
    open.push(answer);
    if (socket.destroyed) this.end(answer);
    return answer;
  }

  /** Apart from the above: what a function leaves on a connection holds all that the function knew, here a request. */
  #openOn(socket: Socket): Answer[] {
    const open: Answer[] = [];
    this.#open.set(socket, open);
    socket.once('close', () => {
      for (const answer of [...open]) this.end(answer);
    });
    return open;
  }

  /** Calls back once: when it ends, or at once when it has. */
  whenOver(answer: Answer, callback: () => void): void {
    if (answer.isOver) callback();
    else answer.callback = callback;
  }

  /** It is about to be written: from now on its client has so long to take it. */
  write(answer: Answer): void {
    if (answer.isOver || answer.place >= 0) return;
    answer.place = this.#writing.length;
    answer.since = this.#look;
    this.#writing.push(answer);
    if (this.#timer) return;
    this.#timer = setInterval(() => this.#lookAt(), this.#betweenLooksMs);
    this.#timer.unref();
  }

  /** It was written, or cannot be any more. */
  end(answer: Answer): void {
    if (answer.isOver) return;
    answer.isOver = true;
    this.#unfinished--;
    const open = this.#open.get(answer.socket) ?? [];
    // Nearly always the only one.
    if (open.at(-1) === answer) open.pop();
    else open.splice(open.indexOf(answer), 1);
    const last = answer.place < 0 ? undefined : this.#writing.pop();
    if (last && last !== answer) {
      this.#writing[answer.place] = last;
      last.place = answer.place;
    }
    answer.callback?.();
    if (this.#unfinished === 0) this.#onQuiet();
  }

  #lookAt(): void {
    if (this.#writing.length === 0) {
      if (this.#timer) clearInterval(this.#timer);
      this.#timer = null;
      return;
    }
    this.#look++;
    // The end of a connection is told later: the list stays as it is meanwhile.
    for (const { since, socket } of this.#writing) if (this.#look - since > this.#looks) socket.destroy();
  }
}
