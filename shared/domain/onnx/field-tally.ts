import type { MessageType } from './message-type.ts';

/** A field number the schema does not know, or a known one in another wire type. */
export interface UnknownField {
  readonly message: string;
  readonly field: number;
  readonly count: number;
  readonly bytes: number;
}

/** A singular message that came twice: parsers may disagree about which one counts. */
export interface RepeatedField {
  readonly message: string;
  readonly field: number;
  readonly count: number;
}

/** Different fields that are told apart; the rest is counted together as field 0 of `other`. */
const TOLD_APART = 100;

interface Entry {
  readonly message: string;
  readonly field: number;
  count: number;
  bytes: number;
}

/** Counts fields by message and number. A hostile file has tens of millions: no string is built for one. */
export class FieldTally {
  readonly #byType = new Map<MessageType<object>, Map<number, Entry>>();
  readonly #entries: Entry[] = [];
  #other: Entry | null = null;

  add(type: MessageType<object>, field: number, bytes: number): void {
    let byField = this.#byType.get(type);
    if (byField === undefined) {
      byField = new Map();
      this.#byType.set(type, byField);
    }
    const entry = byField.get(field) ?? this.#open(type, field, byField);
    entry.count += 1;
    entry.bytes += bytes;
  }

  fields(): readonly Readonly<Entry>[] {
    return this.#other === null ? this.#entries : [...this.#entries, this.#other];
  }

  #open(type: MessageType<object>, field: number, byField: Map<number, Entry>): Entry {
    if (this.#entries.length >= TOLD_APART) {
      this.#other ??= { message: 'other', field: 0, count: 0, bytes: 0 };
      return this.#other;
    }
    const entry: Entry = { message: type.name, field, count: 0, bytes: 0 };
    byField.set(field, entry);
    this.#entries.push(entry);
    return entry;
  }
}
