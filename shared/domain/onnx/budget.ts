import type { OnnxLimits } from './limits.ts';
import { WireFault } from './wire.ts';

/** Counts what a file uses of the limits; over one it throws. */
export class Budget {
  readonly #limits: OnnxLimits;
  readonly #used = new Map<keyof OnnxLimits, number>();
  #fields = 0;

  constructor(limits: OnnxLimits) {
    this.#limits = limits;
  }

  /** The hot one: once per field on the wire. */
  spendFields(amount: number): void {
    this.#fields += amount;
    if (this.#fields > this.#limits.fields)
      throw new WireFault('limit', `more than ${this.#limits.fields} ${LIMIT_WORDS.fields}`);
  }

  spend(what: Exclude<keyof OnnxLimits, 'fields'>, amount: number): void {
    const used = (this.#used.get(what) ?? 0) + amount;
    this.#used.set(what, used);
    if (used > this.#limits[what])
      throw new WireFault('limit', `more than ${this.#limits[what]} ${LIMIT_WORDS[what]}`);
  }
}

/** What each limit counts, in words for a message. */
export const LIMIT_WORDS: Readonly<Record<keyof OnnxLimits, string>> = {
  fileBytes: 'bytes',
  depth: 'levels of nesting',
  fields: 'fields',
  messages: 'messages',
  nodes: 'nodes',
  tensors: 'tensors',
  graphs: 'graphs',
  functions: 'functions',
  metadataEntries: 'metadata entries',
  nameBytes: 'bytes in one name',
  textBytes: 'bytes in one text',
  totalTextBytes: 'bytes of text',
  strings: 'strings',
  dimensions: 'dimensions in one shape',
  numbers: 'dimensions',
};
