/** Cells that say benign (0) or malicious (1), compared without case and surrounding space. */
export const LABEL_TEXTS = {
  0: [
    '0',
    '0.0',
    '-1',
    '-1.0',
    'false',
    'no',
    'benign',
    'normal',
    'ham',
    'legitimate',
    'clean',
    'goodware',
    'negative',
  ],
  1: [
    '1',
    '1.0',
    'true',
    'yes',
    'malicious',
    'attack',
    'spam',
    'phishing',
    'malware',
    'anomaly',
    'intrusion',
    'positive',
  ],
} as const;

/** How a message lists them. */
export const LABEL_TEXTS_SHOWN =
  '0/1, -1/1, true/false, yes/no, benign/malicious, normal/attack, clean/malware, ham/spam or legitimate/phishing';
