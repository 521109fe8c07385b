/** Cells that say benign (0) or malicious (1), compared without case and surrounding space. */
export const LABEL_TEXTS = {
  0: ['0', '0.0', 'false', 'benign', 'normal', 'ham', 'legitimate'],
  1: ['1', '1.0', 'true', 'malicious', 'attack', 'spam', 'phishing'],
} as const;

/** How a message lists them. */
export const LABEL_TEXTS_SHOWN =
  '0/1, true/false, benign/malicious, normal/attack, ham/spam or legitimate/phishing';
