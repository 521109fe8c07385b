/** The recovery key on paper: how it is written, read back, and what a person finds beside it years later. */

/** What `age` makes: prefix, then 58 letters and digits. */
const PREFIX = 'AGE-SECRET-KEY-1';

/** A key as it was typed from paper: spaces and line ends between groups do not count, nor does small writing. */
export function normalizeRecoveryKey(typed: string): string {
  return typed.replace(/\s+/g, '').toUpperCase();
}

/** The key in groups to read aloud: the beginning with what would be left over, then groups of four. */
export function recoveryKeyGroups(key: string): readonly string[] {
  const start = key.startsWith(PREFIX) ? PREFIX.length : 0;
  const first = start + ((key.length - start) % 4);
  const rest = key.slice(first).match(/.{1,4}/g) ?? [];
  return first === 0 ? rest : [key.slice(0, first), ...rest];
}

export interface RecoveryKit {
  readonly vaultId: string;
  /** Folder of the vault when the kit was made. */
  readonly path: string;
  readonly recoveryKey: string;
  /** Public half of the key: what the vault's files name. */
  readonly recoveryRecipient: string;
  readonly vaultCreatedAt: string;
  readonly madeAt: string;
}

function escapeText(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': 'amp',
    '<': 'lt',
    '>': 'gt',
    '"': 'quot',
    "'": '#39',
  };
  return text.replace(/[&<>"']/g, (sign) => `&${names[sign]};`);
}

/** Only what a browser without network needs; on paper it is one page of A4 or letter. */
const STYLE = `
@page { margin: 16mm }
body { font: 11pt/1.45 system-ui, sans-serif; color: #111; background: #fff; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 18pt; margin: 0 0 .2rem }
h2 { font-size: 12pt; margin: 1.1rem 0 .3rem }
p, ol, ul { margin: .3rem 0 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .8rem 0 }
dt { color: #555 }
dd { margin: 0; overflow-wrap: anywhere }
code, .key { font-family: ui-monospace, "DejaVu Sans Mono", monospace }
code { font-size: 9.5pt; overflow-wrap: anywhere }
.key { border: 2px solid #111; padding: .7rem .9rem; font-size: 15pt; line-height: 1.7; break-inside: avoid }
.key span { display: inline-block; margin-right: .8em }
@media print { body { margin: 0; padding: 0; max-width: none } }
`;

/**
 * The kit as one self-contained page: no script, no font, no picture from elsewhere. It holds the key itself, so what is
 * written of it is the caller's care (mode 0600, then paper).
 */
export function renderRecoveryKit(kit: RecoveryKit): string {
  // Spaces are drawn between the groups and are no part of the text: copied, the key is in one piece.
  const groups = recoveryKeyGroups(kit.recoveryKey)
    .map((group) => `<span>${escapeText(group)}</span>`)
    .join('');
  const vault = escapeText(kit.path);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="robots" content="noindex">
<title>Sallyport recovery kit, vault ${escapeText(kit.vaultId.slice(0, 8))}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Sallyport recovery kit</h1>
<p>Whoever has this key and the vault's folder can read everything in the vault.</p>
<dl>
<dt>Vault</dt><dd><code>${escapeText(kit.vaultId)}</code></dd>
<dt>Created</dt><dd>${escapeText(kit.vaultCreatedAt)}</dd>
<dt>Folder then</dt><dd><code>${vault}</code></dd>
<dt>Kit made</dt><dd>${escapeText(kit.madeAt)}</dd>
<dt>Public half</dt><dd><code>${escapeText(kit.recoveryRecipient)}</code></dd>
</dl>
<h2>Recovery key</h2>
<div class="key">${groups}</div>
<h2>What it opens</h2>
<ul>
<li>the vault's keys, when the keychain was lost or the vault's passphrase forgotten;</li>
<li>every stored model and report, and the credentials kept for endpoints;</li>
<li>backups of this vault made while this key was the valid one.</li>
</ul>
<p>It does not open an operator's own signing key: that one is under the operator's passphrase. It ends being valid when
somebody makes a new one (<code>sallyport rekey --new-recovery-key</code>).</p>
<h2>With Sallyport</h2>
<ol>
<li>Put the vault's folder, or a restored backup of it, onto the computer.</li>
<li>Run <code>sallyport recover --vault '${vault}'</code> and type the key; spaces and small letters do not matter.</li>
<li>The vault's keys are now in the keychain of that computer, or under a new passphrase with <code>--keys passphrase</code>.</li>
</ol>
<h2>Without Sallyport</h2>
<ol>
<li>Write the key, in one piece, into a file <code>key.txt</code> that nobody else can read. <code>age</code> is a public
program for the public format of these files (age-encryption.org/v1).</li>
<li>A stored model or report: <code>age -d -i key.txt artifacts/xx/FILE.age &gt; FILE</code></li>
<li>The vault's keys: <code>age -d -i key.txt recovery.age</code> answers <code>databaseKey</code>; with it any SQLCipher 4
tool opens <code>registry.db</code>: <code>PRAGMA key = "x'DATABASEKEY'";</code></li>
</ol>
<h2>How to keep it</h2>
<ul>
<li>Print it, then delete the file. Keep the paper away from the computer, the disk and the backups: a safe, a sealed
envelope, two places.</li>
<li>Lost or seen by somebody? The vault still opens by its keychain or passphrase: make a new recovery key then.</li>
</ul>
</body>
</html>
`;
}
