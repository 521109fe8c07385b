// Proves an exported audit log with Node.js alone: node verify-audit-export.mjs FILE [KEY [HEAD]]
// KEY: the vault's checkpoint key, HEAD: hash of an entry the log once had; noted elsewhere. '' = not known.
import { ok as must } from 'node:assert'; // what does not hold ends the program with exit code 1
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [file, givenKey, givenHead] = process.argv.slice(2);
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const lines = readFileSync(file, 'latin1').split('\n'); // latin1 keeps every byte as it is
must(lines.pop() === '', 'the file does not end with a line feed');
const parse = (line) => JSON.parse(Buffer.from(line, 'latin1').toString('utf8'));
const end = parse(lines.pop()); // says what the file is; everything it claims is checked below
let { seq, hash } = end.before?.head ?? { seq: 0, hash: '0'.repeat(64) };
let key = givenKey || end.checkpointKey;
const peaks = (end.before?.peaks ?? []).map((peak) => Buffer.from(peak, 'hex'));
const hashes = new Set();
for (const line of lines) {
  const { previous, seq: number, action, subject, details } = parse(line);
  must(number === seq + 1 && previous === hash, `entry ${seq + 1} does not follow the one before`);
  must(seq > 0 || (action === 'vault.created' && subject === end.vaultId), 'it is the log of another vault');
  if (action.startsWith('vault.') && details.checkpointKey && !givenKey) key = details.checkpointKey;
  hash = sha256(Buffer.from(line, 'latin1')).toString('hex');
  hashes.add(hash);
  let node = sha256('\x00', Buffer.from(hash, 'hex')); // Merkle tree of RFC 6962: a leaf, then its subtrees
  for (let size = seq++; size % 2 === 1; size = (size - 1) / 2) node = sha256('\x01', peaks.pop(), node);
  peaks.push(node);
}
const root = peaks.reduceRight((right, left) => sha256('\x01', left, right)).toString('base64');
const [text, signatures] = end.checkpoint.split('\n\n'); // a signed note: C2SP signed-note, tlog-checkpoint
const raw = Buffer.from(key.slice(key.indexOf('+') + 10), 'base64').subarray(1); // NAME+8 HEX DIGITS+KEY
const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
const signed = Buffer.from(signatures.trim().split(' ').at(-1), 'base64').subarray(4); // after the key's id
const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
must(verify(null, `${text}\n`, publicKey, signed), 'the signature does not hold');
must(`${text}\n`.startsWith(`sallyport/${end.vaultId}\n${seq}\n${root}\n`), 'signed for other entries');
const claims = [end.head.seq, end.head.hash, end.entries, end.checkpointKey];
must(claims.join() === [seq, hash, lines.length, key].join(), 'the last line claims what does not hold');
must(!givenHead || hashes.has(givenHead), 'the log once had an entry that it has no more');
console.log(`intact: ${seq} entries, head ${hash}${givenHead ? '' : '; a log signed anew would not show'}`);
