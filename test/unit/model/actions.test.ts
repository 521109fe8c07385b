import { describe, expect, test } from 'vitest';
import {
  allowedVersionActions,
  permissionOf,
  stateRefusal,
  VERSION_ACTIONS,
  type VersionContext,
} from '../../../shared/domain/model/actions.ts';
import type { ModelVersion, VersionState } from '../../../shared/domain/model/version.ts';
import { type Actor, isPermitted, type Role } from '../../../shared/domain/operator/operator.ts';
import { versionActionSchema } from '../../../shared/domain/view/views.ts';

const FREE: VersionContext = { aliases: [], deployedOn: [] };
const MAPPING = {
  kind: 'classifier',
  input: 'x',
  labelOutput: 'label',
  scoreOutput: null,
  scoreColumn: 0,
  positiveLabel: 1,
  threshold: 0.5,
  lowerIsPositive: false,
} as const;

function version(state: VersionState, change: Partial<ModelVersion> = {}): ModelVersion {
  const onnx = { inputs: [], outputs: [] } as unknown as ModelVersion['onnx'];
  return {
    id: 'v',
    name: 'phish',
    version: '1.0.0',
    digest: 'a'.repeat(64),
    sizeBytes: 1,
    artifactId: 'a',
    state,
    parent: null,
    metadata: {},
    onnx,
    findings: [],
    rulesRun: [],
    mapping: MAPPING,
    addedBy: 'ada',
    addedAt: '',
    ...change,
  };
}
const actor = (...roles: Role[]): Actor => ({ operatorId: 'o', name: 'ada', person: 'Ada', roles });

describe('what a version allows', () => {
  test.each<[VersionState, string[]]>([
    ['draft', ['validate', 'map', 'describe', 'alias', 'archive', 'revoke', 'export', 'verify']],
    [
      'validated',
      ['validate', 'map', 'describe', 'alias', 'submit', 'archive', 'revoke', 'export', 'verify'],
    ],
    ['archived', ['describe', 'revoke', 'export', 'verify']],
    ['revoked', ['export', 'verify']],
  ])('as %s, to somebody with all roles', (state, actions) => {
    expect(
      allowedVersionActions(
        version(state),
        FREE,
        actor('analyst', 'release-manager', 'administrator', 'auditor'),
      ),
    ).toEqual(actions);
  });

  test('without a mapping it is not validated', () => {
    expect(stateRefusal('validate', version('draft', { mapping: null }), FREE)).toContain(
      'no output mapping',
    );
  });

  test('without permission to deploy it is not submitted', () => {
    expect(
      stateRefusal('submit', version('validated', { metadata: { permittedToDeploy: false } }), FREE),
    ).toContain('not permitted');
    expect(
      stateRefusal('submit', version('validated', { metadata: { permittedToDeploy: true } }), FREE),
    ).toBeNull();
  });

  test('it is archived only where no alias names it and nothing serves it; being kept for rollback does not count', () => {
    const deployed = (role: 'stable' | 'canary' | 'previous'): VersionContext => ({
      aliases: [],
      deployedOn: [{ endpoint: 'edge', role, percent: 10 }],
    });
    expect(stateRefusal('archive', version('draft'), { ...FREE, aliases: ['champion'] })).toContain(
      'champion',
    );
    expect(stateRefusal('archive', version('draft'), deployed('stable'))).toContain('edge');
    expect(stateRefusal('archive', version('draft'), deployed('canary'))).toContain('edge');
    expect(stateRefusal('archive', version('draft'), deployed('previous'))).toBeNull();
  });

  test('every action of the contract has its permission, and the buttons follow roles and state both', () => {
    expect([...VERSION_ACTIONS].sort()).toEqual([...versionActionSchema.options].sort());
    for (const role of ['analyst', 'release-manager', 'auditor', 'administrator'] as const) {
      for (const state of ['draft', 'validated', 'archived', 'revoked'] as const) {
        const expected = VERSION_ACTIONS.filter(
          (action) =>
            isPermitted([role], permissionOf(action)) && stateRefusal(action, version(state), FREE) === null,
        );
        expect(allowedVersionActions(version(state), FREE, actor(role))).toEqual(expected);
      }
    }
  });
});
