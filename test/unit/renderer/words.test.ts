import { describe, expect, it } from 'vitest';
import { splitMessage, windowHint } from '../../../renderer/api/window-hint.ts';
import { subjectOf } from '../../../renderer/ui/audit-words.ts';
import { judgeDelta } from '../../../renderer/ui/metrics.ts';
import { isDeliberate } from '../../../renderer/ui/status.tsx';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { decide } from '../../../shared/domain/rollout/decide.ts';
import * as data from '../../support/renderer-data.ts';

describe('the subject of an entry', () => {
  const model = 'phish@1.1.0';
  it('is the model of a request or a rollout, and where it goes', () => {
    const subject = '01m83cfk2q';
    expect(
      subjectOf({ action: 'request.submitted', subject, details: { model, environment: 'production' } }),
    ).toBe('phish@1.1.0 for production');
    expect(subjectOf({ action: 'rollout.verdict', subject, details: { model, target: 'edge-1' } })).toBe(
      'phish@1.1.0 on edge-1',
    );
    expect(subjectOf({ action: 'request.approved', subject, details: { model } })).toBe(model);
  });
  it('is what the entry says wherever that is a name, or nothing better is known', () => {
    expect(subjectOf({ action: 'comparison.run', subject: 'a against b', details: { model } })).toBe(
      'a against b',
    );
    expect(subjectOf({ action: 'rollout.rolled-back', subject: 'phish on edge-1', details: {} })).toBe(
      'phish on edge-1',
    );
  });
});

describe('the hint of a problem in the window', () => {
  const of = (hint?: string): string | undefined =>
    windowHint(new SallyportError('not-found', 'There is none.', hint === undefined ? {} : { hint }));
  it('never tells to call a command, and keeps what was kept', () => {
    expect(of('List them with: sallyport request list')).toBe('Go to Releases to see what is there.');
    expect(of('Nothing was sent. Run: sallyport audit verify')).toMatch(/^Nothing was sent\. Verify the log/);
    expect(of('It goes on: sallyport something new')).toBeUndefined();
  });
  it('is as it was where it names no command', () => {
    expect(of('Nothing was changed. Choose another name.')).toBe('Nothing was changed. Choose another name.');
    expect(of()).toBeUndefined();
  });
});

describe('the headline of a problem', () => {
  it('has the technical rest of a file that is no model below it', () => {
    const message = 'This file is not an ONNX model: field 10 has wire type 4.';
    expect(splitMessage({ code: 'model.not-onnx', message })).toEqual([
      'This file is not an ONNX model.',
      'Field 10 has wire type 4.',
    ]);
    expect(splitMessage({ code: 'conflict', message: 'Taken: a' })).toEqual(['Taken: a', '']);
  });
});

describe('a difference in latency', () => {
  it('says nothing within a tenth of the champion or 0.1 ms', () => {
    expect(judgeDelta('latency_p95_ms', 0.9, 10)).toBe('same');
    expect(judgeDelta('latency_p95_ms', 1.1, 10)).toBe('worse');
    expect(judgeDelta('latency_p95_ms', -0.09, 0.2)).toBe('same');
    expect(judgeDelta('latency_p95_ms', -0.15, 0.2)).toBe('better');
  });
});

describe('a rollout that was aborted', () => {
  it('is told from one a guard broke off, by the very reason the rule writes', () => {
    const { state } = data.rollout(
      { now: Date.parse('2026-01-01T00:00:00Z') },
      'r',
      '1.2.0',
      'stepping',
      1,
      3,
    );
    for (const reason of ['', 'wrong model']) {
      const decision = decide(state, { kind: 'abort', reason }, new Date('2026-01-01T00:10:00Z'));
      expect(decision.kind === 'decided' && isDeliberate(decision.state.reason)).toBe(true);
    }
    expect(isDeliberate('disagreement 12 % > 5 % at 10 % of traffic.')).toBe(false);
  });
});
