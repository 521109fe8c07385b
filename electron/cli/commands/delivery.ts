import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { ERROR_CODES, type ErrorCode, SallyportError } from '../../../shared/domain/errors.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import { isFinal, percentOf } from '../../../shared/domain/rollout/phases.ts';
import type { RolloutView } from '../../../shared/domain/view/views.ts';
import type { CliContext, OperatorSession } from '../context.ts';
import { parseInput } from '../input.ts';
import { table } from '../output.ts';
import { askSecret } from '../prompt.ts';

export function registerDelivery(program: Command, context: CliContext): void {
  registerEndpoints(program, context);

  program
    .command('deploy')
    .argument('<request>')
    .requiredOption('--to <target>', 'environment or endpoint name')
    .description('run an approved request’s signed plan, in the foreground to the end')
    .action((requestId: string, options: { to: string }) =>
      context.asOperator(async (session) => {
        session.services.rollouts.start();
        const started = await session.services.rollouts.deploy(
          session.actor,
          parseInput('rollouts.deploy', { requestId, target: options.to }),
        );
        await follow(context, session, started);
      }),
    );

  const rollout = program.command('rollout').description('running and past rollouts');
  rollout
    .command('list')
    .description('all rollouts, newest first')
    .action(() =>
      context.asOperator(async ({ services, actor }) => {
        const views = await services.rollouts.list(actor);
        const rows = views.map(({ state }) => [
          state.id,
          formatRef(state),
          state.target,
          state.phase,
          `${percentOf(state)} %`,
          state.reason,
        ]);
        context.output.result(
          views,
          rows.length === 0
            ? 'No rollouts.'
            : table(['rollout', 'version', 'target', 'phase', 'traffic', 'reason'], rows),
        );
      }),
    );
  rollout
    .command('show')
    .argument('<rollout>')
    .description('state, verdicts and measurements')
    .action((id: string) =>
      context.asOperator(async ({ services, actor }) => {
        const view = await services.rollouts.get(actor, { id });
        context.output.result(
          view,
          [
            line(view),
            ...view.state.verdicts.map((v) => `  ${v.at} step ${v.step + 1}: ${v.verdict}: ${v.reason}`),
          ].join('\n'),
        );
      }),
    );
  rollout
    .command('watch')
    .argument('<rollout>')
    .description('follow a rollout to its end')
    .action((id: string) =>
      context.asOperator(async (session) => {
        session.services.rollouts.start();
        await follow(context, session, await session.services.rollouts.get(session.actor, { id }));
      }),
    );
  for (const action of ['pause', 'resume', 'promote'] as const) {
    rollout
      .command(action)
      .argument('<rollout>')
      .description(`${action} a rollout`)
      .action((id: string) =>
        context.asOperator(async ({ services, actor }) => {
          const view = await services.rollouts[action](actor, { id });
          context.output.result(view, line(view));
          // This command ends here; somebody has to go on looking at the canary.
          if (!isFinal(view.state))
            context.output.note(
              `Where no window is open and no deploy runs, follow it with: sallyport rollout watch ${id}`,
            );
        }),
      );
  }
  rollout
    .command('abort')
    .argument('<rollout>')
    .option('--reason <text>', 'why', '')
    .description('stop a rollout and take its version out')
    .action((id: string, options: { reason: string }) =>
      context.asOperator(async (session) => {
        session.services.rollouts.start();
        const view = await session.services.rollouts.abort(
          session.actor,
          parseInput('rollouts.abort', { id, reason: options.reason }),
        );
        await follow(context, session, view, true);
      }),
    );

  program
    .command('rollback')
    .argument('<name>', 'model name')
    .requiredOption('--on <target>', 'environment or endpoint name')
    .option('--to <version>', 'a version the endpoint still holds; the previous one when left out')
    .description('back to the previous version, at once')
    .action((name: string, options: { on: string; to?: string }) =>
      context.asOperator(async ({ services, actor }) => {
        services.rollouts.start();
        const done = await services.rollouts.rollback(
          actor,
          parseInput('rollouts.rollback', { name, target: options.on, to: options.to ?? null }),
        );
        context.output.result(
          done,
          `${done.endpoints.join(', ')} served ${done.previous} and ${done.endpoints.length === 1 ? 'serves' : 'serve'} ${done.version} now (${done.durationMs.toFixed(0)} ms).`,
        );
      }),
    );
}

function registerEndpoints(program: Command, context: CliContext): void {
  const endpoint = program.command('endpoint').description('serving endpoints');
  endpoint
    .command('add')
    .argument('<name>')
    .requiredOption('--environment <name>')
    .requiredOption('--admin <url>', 'admin listener')
    .requiredOption('--predict <url>', 'predict listener')
    .option('--fingerprint <hex>', 'as `agent init` printed it; asked when left out')
    .option('--token-file <file>', 'file with the token; asked when left out')
    .option(
      '--ca <file>',
      'PEM: the authority of its TLS certificate; the system’s authorities when left out',
    )
    .option('--certificate <sha256>', 'the one TLS certificate that counts, by its SHA-256')
    .option('--client-cert <file>', 'PEM: this console’s certificate, for an agent that asks for one')
    .option('--client-key <file>', 'PEM: its private key, mode 0600; kept among the secrets of the vault')
    .description('pin an agent by its fingerprint')
    .action(
      (
        name: string,
        options: {
          environment: string;
          admin: string;
          predict: string;
          fingerprint?: string;
          tokenFile?: string;
          ca?: string;
          certificate?: string;
          clientCert?: string;
          clientKey?: string;
        },
      ) =>
        context.asOperator(async ({ services, actor, environmentId }) => {
          const token =
            options.tokenFile === undefined
              ? await askSecret('Token', '--token-file')
              : await context.readSecret(options.tokenFile);
          const fingerprint =
            options.fingerprint ?? (await askSecret('Fingerprint that the agent printed', '--fingerprint'));
          const view = await services.endpoints.add(
            actor,
            parseInput('endpoints.add', {
              name,
              environmentId: await environmentId(options.environment),
              adminUrl: options.admin,
              predictUrl: options.predict,
              token,
              fingerprint,
              ...(await tlsOf(options, (file) => context.readSecret(file))),
            }),
          );
          context.output.result(view, `${name} added to ${view.environmentName}; its key is pinned.`);
        }),
    );
  endpoint
    .command('list')
    .description('endpoints and what they served when last seen')
    .action(() =>
      context.asOperator(async ({ services, actor }) => {
        const views = await services.endpoints.list(actor);
        const rows = views.map((v) => [
          v.endpoint.name,
          v.environmentName,
          v.status === null ? 'not checked' : v.status.reachable ? 'up' : 'down',
          (v.status?.models ?? [])
            .map(
              (m) =>
                `${m.name}@${m.stable?.version ?? '–'}${m.canary === null ? '' : ` + ${m.canary.version} ${m.canary.percent} %`}`,
            )
            .join(', '),
        ]);
        context.output.result(
          views,
          rows.length === 0 ? 'No endpoints.' : table(['endpoint', 'environment', 'health', 'serves'], rows),
        );
      }),
    );
  endpoint
    .command('check')
    .argument('<name>')
    .description('ask an endpoint now')
    .action((name: string) =>
      context.asOperator(async (session) => {
        const { services, actor } = session;
        const status = await services.endpoints.check(actor, { id: await endpointId(session, name) });
        context.output.result(
          status,
          status.problem === null
            ? `${name} answers in ${status.latencyMs?.toFixed(1) ?? '?'} ms and serves ${status.models.map((m) => `${m.name}@${m.stable?.version ?? '–'}`).join(', ') || 'nothing'}.`
            : `${name}: ${status.problem.message}`,
        );
        if (status.problem !== null)
          throw new SallyportError(
            isErrorCode(status.problem.code) ? status.problem.code : 'endpoint.unreachable',
            status.problem.message,
            { hint: status.problem.hint },
          );
      }),
    );
  endpoint
    .command('remove')
    .argument('<name>')
    .description('forget an endpoint; it keeps serving')
    .action((name: string) =>
      context.asOperator(async (session) => {
        const done = await session.services.endpoints.remove(session.actor, {
          id: await endpointId(session, name),
        });
        context.output.result(done, `${name} removed.`);
      }),
    );
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

async function endpointId({ services, actor }: OperatorSession, name: string): Promise<string> {
  const found = (await services.endpoints.list(actor)).find(
    (view) => view.endpoint.name === name || view.endpoint.id === name,
  );
  if (found === undefined)
    throw new SallyportError('not-found', `There is no endpoint called ${name}.`, {
      hint: 'List them with: sallyport endpoint list',
    });
  return found.endpoint.id;
}

/** One event a change; the exit code says how it ended. */
async function follow(
  context: CliContext,
  { services, actor }: OperatorSession,
  start: RolloutView,
  expectRollback = false,
): Promise<void> {
  let shown = '';
  const show = (view: RolloutView) => {
    const text = line(view);
    const key = `${view.state.phase}/${view.state.step}/${view.state.verdicts.length}/${view.state.reason}`;
    if (key === shown) return;
    shown = key;
    context.output.event(
      {
        rollout: view.state.id,
        phase: view.state.phase,
        step: view.state.step,
        percent: percentOf(view.state),
        reason: view.state.reason,
        at: view.state.updatedAt,
      },
      text,
    );
  };
  show(start);
  let view = start;
  while (!isFinal(view.state)) {
    await context.sleep(200).catch((error: unknown) => {
      if (!(error instanceof SallyportError)) throw error;
      throw new SallyportError(error.code, `${error.message} The rollout is ${view.state.phase}.`, {
        hint: `It goes on with an open window, or with: sallyport rollout watch ${view.state.id}`,
      });
    });
    view = await services.rollouts.get(actor, { id: start.state.id });
    show(view);
  }
  view = await services.rollouts.finished(start.state.id);
  if (view.state.phase === 'completed' || (expectRollback && view.state.phase === 'rolled-back')) return;
  throw new SallyportError(
    view.state.phase === 'rolled-back' ? 'refused.gate' : 'endpoint.refused',
    `The rollout of ${formatRef(view.state)} ended as ${view.state.phase}: ${view.state.reason}`,
    {
      hint: `The evidence is kept: sallyport rollout show ${view.state.id}`,
    },
  );
}

function line({ state }: RolloutView): string {
  return `${state.id} ${formatRef(state)} on ${state.target}: ${state.phase}${state.phase === 'stepping' ? ` ${percentOf(state)} %` : ''}. ${state.reason}`;
}

/** What `endpoint add` is told about TLS, in the words of the service. */
async function tlsOf(
  options: {
    readonly ca?: string;
    readonly certificate?: string;
    readonly clientCert?: string;
    readonly clientKey?: string;
  },
  readSecret: (file: string) => Promise<string>,
): Promise<object> {
  const { ca, certificate, clientCert, clientKey } = options;
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    throw new SallyportError('usage', '--client-cert and --client-key go together.', {
      hint: 'Nothing was added.',
    });
  }
  const tls = {
    ...(ca === undefined ? {} : { ca: await readPem(ca) }),
    ...(certificate === undefined
      ? {}
      : { certificateFingerprint: certificate.replaceAll(':', '').toLowerCase() }),
  };
  return {
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    ...(clientCert === undefined || clientKey === undefined
      ? {}
      : { client: { cert: await readPem(clientCert), key: await readSecret(clientKey) } }),
  };
}

async function readPem(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SallyportError('input.invalid', `${file} cannot be read.`, {
      hint: 'Nothing was added.',
      cause,
    });
  });
}
