import type { AuditService } from './audit/index.ts';
import type { ComparisonService } from './comparison.ts';
import type { EndpointsService } from './endpoints.ts';
import type { EnvironmentsService } from './environments/index.ts';
import type { DatasetsService, EvidenceService } from './evidence/index.ts';
import type { OperatorsService } from './operators/index.ts';
import type { OverviewService } from './overview/index.ts';
import type { RegistryService } from './registry/index.ts';
import type { RequestsService } from './requests/index.ts';
import type { RevocationsService } from './revocations/index.ts';
import type { RolloutsService } from './rollouts/index.ts';
import type { SessionService } from './session/index.ts';
import type { TestDataService } from './test-data/index.ts';
import type { ValidationService } from './validation.ts';
import type { VaultService } from './vault/index.ts';

/** Everything an open vault can do: one service an area, the same for the window and the command line. */
export interface Services {
  readonly session: SessionService;
  readonly vault: VaultService;
  readonly overview: OverviewService;
  readonly models: RegistryService;
  readonly validation: ValidationService;
  readonly comparison: ComparisonService;
  readonly testData: TestDataService;
  readonly evidence: EvidenceService;
  readonly datasets: DatasetsService;
  readonly operators: OperatorsService;
  readonly environments: EnvironmentsService;
  readonly requests: RequestsService;
  readonly endpoints: EndpointsService;
  readonly rollouts: RolloutsService;
  readonly revocations: RevocationsService;
  readonly audit: AuditService;
}
