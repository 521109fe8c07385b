import { isControl, quoted } from '../onnx/reading.ts';
import type { Hit, ScanRule } from './rule.ts';

/** Words that belong to a script and to no description of a model, each with what it is. */
const SCRIPT_MARKERS: readonly (readonly [marker: RegExp, what: string])[] = [
  [/<script\b|javascript:|\bon(?:error|load)\s*=/i, 'HTML that runs script'],
  [
    /\b__import__\s*\(|\bos\.system\s*\(|\bsubprocess\.(?:run|call|Popen|check_output)\b|\bexec\s*\(\s*(?:compile|base64|bytes)/,
    'Python code',
  ],
  [/\bpowershell(?:\.exe)?\s+-|\bcmd\.exe\s*\/c|\brundll32\b|\bmshta\b/i, 'a Windows command'],
  [
    /#!\s*\/(?:usr\/)?bin\/|\b(?:curl|wget)\s[^\n]{0,100}\|\s*(?:ba|z)?sh\b|\bbase64\s+(?:-d|--decode)\b/,
    'a shell command',
  ],
  [/\$\{jndi:|\{\{[^}\n]{0,100}(?:__class__|constructor)/i, 'a template injection'],
];
const URL = /\b(?:https?|ftp|file|smb|data|ldap):(?:\/\/)?[^\s"'<>]{3,80}/i;
/** Length of an unbroken base64 run that is content, not a word or a digest. */
const BASE64_RUN = 256;

/** The longest run of base64 characters, in one pass: a regular expression would start again at every character. */
export function longestBase64Run(text: string): number {
  let longest = 0;
  let run = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    const isBase64 =
      (code >= 0x30 && code <= 0x39) ||
      (code >= 0x41 && code <= 0x5a) ||
      (code >= 0x61 && code <= 0x7a) ||
      code === 0x2b ||
      code === 0x2f ||
      code === 0x3d;
    run = isBase64 ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  return longest;
}

function hitsIn(where: string, text: string): Hit[] {
  const hits: Hit[] = [];
  for (const [marker, what] of SCRIPT_MARKERS) {
    const match = marker.exec(text);
    if (match !== null) hits.push({ where, detail: `Looks like ${what}: ${quoted(match[0])}.` });
  }
  const run = longestBase64Run(text);
  if (run >= BASE64_RUN) hits.push({ where, detail: `${run} characters of base64 in one piece.` });
  const url = URL.exec(text);
  if (url !== null) hits.push({ where, severity: 'low', detail: `Names an address: ${quoted(url[0])}.` });
  return hits;
}

export const SUSPICIOUS_TEXT: ScanRule = {
  id: 'suspicious-metadata',
  severity: 'medium',
  title: 'Metadata or doc string that carries more than a description',
  reference: '',
  *run({ facts }) {
    for (const { where, text } of facts.texts) yield* hitsIn(where, text);
  },
};

/** Line breaks and tabs are at home in texts. */
function hasControl(text: string, isText: boolean): boolean {
  for (const character of text)
    if (isControl(character) && !(isText && /[\n\r\t]/.test(character))) return true;
  return false;
}

export const CONTROL_CHARACTERS: ScanRule = {
  id: 'control-characters',
  severity: 'medium',
  title: 'Control or direction-changing characters',
  reference: 'CVE-2021-42574',
  *run({ summary, facts }) {
    const detail = 'A screen or terminal would show something else than is there.';
    for (const { where, text } of facts.texts) if (hasControl(text, true)) yield { where, detail };
    const named: [string, string][] = [
      ['producer name', summary.producerName],
      ['producer version', summary.producerVersion],
      ['graph name', summary.graphName],
      ...summary.inputs.map((value): [string, string] => ['input', value.name]),
      ...summary.outputs.map((value): [string, string] => ['output', value.name]),
      ...summary.operators.map((operator): [string, string] => [
        'operator',
        `${operator.domain}.${operator.type}`,
      ]),
    ];
    for (const [what, name] of named)
      if (hasControl(name, false)) yield { where: `${what} ${quoted(name)}`, detail };
  },
};
