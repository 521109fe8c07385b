import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { SallyportError } from '../../shared/domain/errors.ts';

/** Asks on the terminal without echo. Without a terminal it is refused: a passphrase never comes by argument or pipe. */
export async function askSecret(question: string, option: string): Promise<string> {
  if (process.stdin.isTTY !== true) {
    throw new SallyportError('usage', `${question} is needed, and there is no terminal to ask on.`, {
      hint: `Give it in a file of your own with mode 0600: ${option} FILE`,
    });
  }
  process.stderr.write(`${question}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.once('close', () => reject(new SallyportError('cancelled', 'Cancelled.')));
      reader.question('', resolve);
    });
  } finally {
    reader.removeAllListeners('close');
    reader.close();
    process.stderr.write('\n');
  }
}
