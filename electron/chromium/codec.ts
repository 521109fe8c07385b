/**
 * What Electron's IPC carries by structured clone travels here as JSON with tags. Both functions also run in
 * the page, as source text: they may use nothing but globals of both worlds.
 */

/** Turns a cloneable value into JSON-able data; a function, symbol or cycle is refused as Electron refuses it. */
export function encodeValue(input: unknown): unknown {
  const open = new Set<object>();
  const bytesOf = (view: ArrayBufferView): string => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    let text = '';
    // fromCharCode takes a bounded number of arguments.
    for (let at = 0; at < bytes.length; at += 8192)
      text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return btoa(text);
  };
  const walk = (value: unknown): unknown => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (value === undefined) return { $: 'undefined' };
    if (typeof value === 'number') {
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $: 'number', v: Object.is(value, -0) ? '-0' : String(value) };
    }
    if (typeof value === 'bigint') return { $: 'bigint', v: String(value) };
    if (typeof value !== 'object') throw new TypeError('An object could not be cloned.');
    if (open.has(value)) throw new TypeError('An object could not be cloned: it contains itself.');
    open.add(value);
    try {
      if (Array.isArray(value)) return value.map(walk);
      // JSON has no NaN, the time of an invalid date: it travels as a tagged number.
      if (value instanceof Date) return { $: 'date', v: walk(value.getTime()) };
      if (value instanceof ArrayBuffer) return { $: 'buffer', v: bytesOf(new Uint8Array(value)) };
      if (ArrayBuffer.isView(value)) {
        // Node's Buffer is a Uint8Array to the other side.
        const name = value instanceof Uint8Array ? 'Uint8Array' : value.constructor.name;
        return { $: 'bytes', c: name, v: bytesOf(value) };
      }
      if (value instanceof Map)
        return { $: 'map', v: [...value].map(([key, item]) => [walk(key), walk(item)]) };
      if (value instanceof Set) return { $: 'set', v: [...value].map(walk) };
      if (value instanceof Error) return { $: 'error', v: value.message, n: value.name };
      const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, walk(item)]);
      // An object of ours that has a key named like the tag, or one that JSON.parse would treat specially.
      if (Object.hasOwn(value, '$') || Object.hasOwn(value, '__proto__')) return { $: 'object', v: entries };
      return Object.fromEntries(entries);
    } finally {
      open.delete(value);
    }
  };
  return walk(input);
}

/** The way back; unknown tags are an error, never passed through. */
export function decodeValue(input: unknown): unknown {
  const bytesOf = (text: unknown): ArrayBuffer => {
    const raw = atob(String(text));
    const bytes = new Uint8Array(raw.length);
    for (let at = 0; at < raw.length; at += 1) bytes[at] = raw.charCodeAt(at);
    return bytes.buffer;
  };
  const views: Record<string, new (buffer: ArrayBuffer) => ArrayBufferView> = {
    Uint8Array,
    Int8Array,
    Uint8ClampedArray,
    Uint16Array,
    Int16Array,
    Uint32Array,
    Int32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    DataView,
  };
  const object = (entries: readonly (readonly [string, unknown])[]): Record<string, unknown> => {
    const out: Record<string, unknown> = {};
    for (const [key, item] of entries) {
      Object.defineProperty(out, key, { value: item, enumerable: true, writable: true, configurable: true });
    }
    return out;
  };
  const walk = (value: unknown): unknown => {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(walk);
    const tagged = value as {
      readonly $?: unknown;
      readonly v?: unknown;
      readonly c?: unknown;
      readonly n?: unknown;
    };
    if (!Object.hasOwn(value, '$'))
      return object(Object.entries(value).map(([key, item]) => [key, walk(item)]));
    const list = tagged.v as readonly unknown[];
    const pairs = tagged.v as readonly (readonly [unknown, unknown])[];
    switch (tagged.$) {
      case 'undefined':
        return undefined;
      case 'number':
        return Number(tagged.v);
      case 'bigint':
        return BigInt(String(tagged.v));
      case 'date':
        return new Date(walk(tagged.v) as number);
      case 'buffer':
        return bytesOf(tagged.v);
      case 'bytes': {
        const View = Object.hasOwn(views, String(tagged.c)) ? views[String(tagged.c)] : undefined;
        if (View === undefined) throw new TypeError(`Unknown view: ${String(tagged.c)}`);
        return new View(bytesOf(tagged.v));
      }
      case 'map':
        return new Map(pairs.map(([key, item]) => [walk(key), walk(item)]));
      case 'set':
        return new Set(list.map(walk));
      case 'error':
        return Object.assign(new Error(String(tagged.v)), { name: String(tagged.n) });
      case 'object':
        return object(pairs.map(([key, item]) => [String(key), walk(item)]));
      default:
        throw new TypeError(`Unknown tag: ${String(tagged.$)}`);
    }
  };
  return walk(input);
}
