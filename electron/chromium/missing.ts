/** Names a runtime or a test looks at on any object, without meaning to call them. */
const LOOKED_AT = new Set(['then', 'toJSON', 'inspect', 'nodeType', 'asymmetricMatch', '$$typeof', 'domain']);

function refuse(what: string): never {
  throw new Error(`${what} is not part of the Chromium stand-in for Electron (electron/chromium).`);
}

/** A whole export that the stand-in lacks: importing it is fine, using it is a clear error. */
export function missingExport(name: string): unknown {
  // A function expression: an arrow could not be constructed, and would hide our own message behind V8's.
  const target = function missing(): void {};
  return new Proxy(target, {
    get: (_target, property) =>
      typeof property === 'symbol' || LOOKED_AT.has(property)
        ? undefined
        : refuse(`electron.${name}.${property}`),
    apply: () => refuse(`electron.${name}`),
    construct: () => refuse(`electron.${name}`),
  });
}

/** Lets a class of ours answer an unknown member with a clear error in place of `undefined is not a function`. */
export function refuseUnknownMembers(type: { readonly prototype: object }, name: string): void {
  const parent = Object.getPrototypeOf(type.prototype) as object;
  Object.setPrototypeOf(
    type.prototype,
    new Proxy(parent, {
      get(target, property, receiver) {
        if (property in target || typeof property === 'symbol' || LOOKED_AT.has(property)) {
          return Reflect.get(target, property, receiver);
        }
        return refuse(`${name}.${property}`);
      },
    }),
  );
}
