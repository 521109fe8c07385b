/** The routes of the admin listener. */
import { z } from 'zod';
import {
  checkpointBodySchema,
  checkpointsAnswerSchema,
  completedReleaseSchema,
  drainAnswerSchema,
  drainBodySchema,
  identityAnswerSchema,
  leaseBodySchema,
  modelsAnswerSchema,
  nonceSchema,
  openedReleaseSchema,
  openReleaseSchema,
  receiptAnswerSchema,
  revocationBodySchema,
  revocationsAnswerSchema,
  rollbackBodySchema,
  routingBodySchema,
} from '../../../shared/domain/endpoint/admin-api.ts';
import { trafficSampleSchema } from '../../../shared/domain/traffic/sample.ts';
import { json, type Operation, type Operations } from './operation.ts';

const NONCE = {
  nonce: { description: 'Fresh random text: the answer carries it.', schema: nonceSchema, required: true },
};
const MODEL = { name: 'Name of the model.' };
const VAULT = { vaultId: 'Id of the vault whose log it is.' };

const receipt = (summary: string): Operation => ({
  summary,
  description: 'The receipt is a DSSE envelope, signed with the agent’s own key.',
  path: MODEL,
  answers: {
    200: { description: 'What is served now.', content: json('ReceiptAnswer', receiptAnswerSchema) },
  },
});

const upload: Operation = {
  summary: 'An upload, by the tus protocol (1.0.0)',
  path: { id: 'Id of the upload.' },
  headers: ['Tus-Resumable'],
  answers: {},
  errors: [404, 410, 412],
  tus: true,
};

export const ADMIN_OPERATIONS: Operations = {
  'GET /admin/v1/identity': {
    summary: 'Who answers here, proved over the caller’s nonce',
    query: NONCE,
    answers: {
      200: {
        description: 'The agent’s keys and the proof.',
        content: json('IdentityAnswer', identityAnswerSchema),
      },
    },
    errors: [422],
  },
  'POST /admin/v1/releases': {
    summary: 'Opens the push of a release: its statement and signatures',
    body: { required: true, content: json('OpenRelease', openReleaseSchema) },
    answers: {
      200: {
        description: 'Which files are still to be sent.',
        content: json('OpenedRelease', openedReleaseSchema),
      },
    },
    errors: [409, 422, 507],
  },
  'POST /admin/v1/releases/:root/complete': {
    summary: 'Verifies the files that were sent, and stores the release',
    path: { root: 'Root digest of the release’s statement.' },
    answers: {
      200: {
        description: 'Stored, or what is missing.',
        content: json('CompletedRelease', completedReleaseSchema),
      },
    },
    errors: [404, 422, 507],
  },
  'POST /admin/v1/uploads': {
    summary: 'Begins the upload of a file, by the tus protocol (1.0.0)',
    headers: ['Tus-Resumable', 'Upload-Length', 'Upload-Metadata'],
    answers: { 201: { description: 'Begun.', headers: ['Location', 'Tus-Resumable'] } },
    errors: [409, 412, 413, 507],
    tus: true,
  },
  'HEAD /admin/v1/uploads/:id': {
    ...upload,
    answers: {
      200: { description: 'How far it is.', headers: ['Upload-Offset', 'Upload-Length', 'Tus-Resumable'] },
    },
  },
  'PATCH /admin/v1/uploads/:id': {
    ...upload,
    headers: ['Tus-Resumable', 'Upload-Offset'],
    body: { required: true, content: { 'application/offset+octet-stream': null } },
    answers: { 204: { description: 'Stored.', headers: ['Upload-Offset', 'Tus-Resumable'] } },
    errors: [404, 409, 410, 412, 413, 507],
  },
  'DELETE /admin/v1/uploads/:id': {
    ...upload,
    answers: { 204: { description: 'Removed.', headers: ['Tus-Resumable'] } },
  },
  'GET /admin/v1/models': {
    summary: 'The routing of every model',
    answers: { 200: { description: 'By name.', content: json('ModelsAnswer', modelsAnswerSchema) } },
  },
  'GET /admin/v1/models/:name/traffic': {
    summary: 'Counted traffic of stable and canary in this generation',
    path: MODEL,
    answers: {
      200: {
        description: 'Counts since the last change.',
        content: json('TrafficSample', trafficSampleSchema),
      },
    },
    errors: [422],
  },
  'GET /admin/v1/models/:name/receipt': {
    ...receipt('A receipt of what is served'),
    query: NONCE,
    errors: [422],
  },
  'POST /admin/v1/models/:name/routing': {
    ...receipt('Sets stable, canary and their shares'),
    body: { required: true, content: json('RoutingBody', routingBodySchema) },
    errors: [404, 409, 422, 504, 507],
  },
  'POST /admin/v1/models/:name/lease': {
    summary: 'Renews the lease of this generation’s canary, and reads its traffic',
    description: 'Answered with a reading at every generation; only the named one is renewed.',
    path: MODEL,
    body: { required: true, content: json('LeaseBody', leaseBodySchema) },
    answers: {
      200: {
        description: 'Counts since the last change.',
        content: json('TrafficSample', trafficSampleSchema),
      },
    },
    errors: [422, 507],
  },
  'POST /admin/v1/drain': {
    summary: 'Takes no new predictions, of one model or at all, until told otherwise or started anew',
    body: { required: true, content: json('DrainBody', drainBodySchema) },
    answers: {
      200: {
        description: 'What is drained, and what is under way.',
        content: json('Drain', drainAnswerSchema),
      },
    },
    errors: [404, 422],
  },
  'GET /admin/v1/drain': {
    summary: 'What is drained',
    answers: {
      200: { description: 'And what is under way.', content: json('Drain', drainAnswerSchema) },
    },
  },
  'POST /admin/v1/models/:name/rollback': {
    ...receipt('Goes back to a version that was served here'),
    body: { required: true, content: json('RollbackBody', rollbackBodySchema) },
    errors: [404, 409, 422, 504, 507],
  },
  'POST /admin/v1/revocations': {
    summary: 'Revokes a version for good: signed by a person whom this agent trusts with that',
    body: { required: true, content: json('RevocationBody', revocationBodySchema) },
    answers: {
      200: { description: 'Out of traffic and memory.', content: json('ReceiptAnswer', receiptAnswerSchema) },
    },
    errors: [422, 507],
  },
  'GET /admin/v1/revocations': {
    summary: 'What is revoked here',
    answers: {
      200: { description: 'By serial.', content: json('RevocationsAnswer', revocationsAnswerSchema) },
    },
  },
  'POST /admin/v1/checkpoints/:vaultId': {
    summary: 'Leaves a checkpoint of a vault’s log here',
    path: VAULT,
    body: { required: true, content: json('CheckpointBody', checkpointBodySchema) },
    answers: {
      200: {
        description: 'Stored.',
        content: json('CheckpointStored', z.object({ stored: z.literal(true) })),
      },
    },
    errors: [404, 409, 422, 507],
  },
  'GET /admin/v1/checkpoints/:vaultId': {
    summary: 'The checkpoints that were left here',
    path: VAULT,
    answers: {
      200: { description: 'The newest last.', content: json('CheckpointsAnswer', checkpointsAnswerSchema) },
    },
    errors: [404],
  },
};
