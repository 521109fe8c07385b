import { describe, expect, it, vi } from 'vitest';
import { createOutput } from '../../../electron/cli/output.ts';

describe('what the command line prints', () => {
  it('leaves no escape sequence of a foreign name to the terminal', () => {
    const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      const output = createOutput(false);
      output.result({}, 'input\t\u001b[2J\u001b]0;title\u0007x\nsecond \u202eline');
      output.event({}, 'a\rb');
      output.note('error: \u009b31mred');
      const text = [...out.mock.calls, ...err.mock.calls].map(([piece]) => String(piece)).join('');
      expect(text).toBe(
        'input\t\uFFFD[2J\uFFFD]0;title\uFFFDx\nsecond \uFFFDline\na\uFFFDb\nerror: \uFFFD31mred\n',
      );
    } finally {
      out.mockRestore();
      err.mockRestore();
    }
  });
});
