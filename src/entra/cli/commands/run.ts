/** The commands `provision` and `start`, which run cycles. */
import { existsSync } from 'node:fs'
import { CYCLE_INTERVAL_MS } from '../../engine/escrow.ts'
import { type JobRun, pauseJob, runJob } from '../../engine/provisioning-job.ts'
import { visible } from '../../visible-text.ts'
import { withAccess } from '../access.ts'
import { cycleReporter } from '../cycle-reporter.ts'
import { durationOption } from '../duration.ts'
import { notifier } from '../notification.ts'
import { integerOption, pushNowOption } from '../options.ts'
import { PROGRAM } from '../program.ts'
import { failedCount } from '../summary-table.ts'
import { type JobTarget, readJobTarget } from '../target.ts'
import { UsageError } from '../usage-error.ts'
import type { CommandContext } from './command.ts'
import { Session } from './session.ts'

interface RunOptions {
  readonly cycles: number
  readonly intervalMs: number
  readonly advanceMs: number
  /** Retries all failures immediately and ignores the waiting time of a quarantine. */
  readonly retryImmediately: boolean
  /** Sends all members of every group in the first cycle. */
  readonly pushNow?: boolean
}

/**
 * Runs one cycle and retries all failures immediately. Exit codes as for `start`.
 * @throws {UsageError}
 */
export function provision(command: CommandContext): Promise<number> {
  return runCycles(command, { cycles: 1, intervalMs: 0, advanceMs: 0, retryImmediately: true })
}

/**
 * Runs cycles as the service does, respecting escrow and quarantine. Exit code 0 if all succeeded, 1 if anything failed
 * or the job is in quarantine, 130 if interrupted.
 * @throws {UsageError}
 */
export function start(command: CommandContext): Promise<number> {
  const { values } = command
  return runCycles(command, {
    cycles: integerOption(values, 'cycles', 1, 1_000_000) ?? 1,
    intervalMs: durationOption(values, 'interval') ?? CYCLE_INTERVAL_MS,
    advanceMs: durationOption(values, 'advance') ?? 0,
    retryImmediately: values.now === true,
  })
}

function runCycles(command: CommandContext, options: RunOptions): Promise<number> {
  const { values, errors } = command
  const target = readJobTarget(values)
  if (!existsSync(target.directoryFile))
    throw new UsageError(`Cannot read the directory file "${target.directoryFile}": no such file or folder`)
  const pushNow = pushNowOption(values, target.job)
  return withAccess(target.authentication, values, errors.write, (access) =>
    runSession(new Session(target, access, options.advanceMs), target, command, { ...options, pushNow }),
  )
}

async function runSession(
  session: Session,
  target: JobTarget,
  { values, output, errors, terminal }: CommandContext,
  options: RunOptions,
): Promise<number> {
  const json = values.json === true
  const print = (text: string) => (json ? errors : output).write(`${visible(text)}\n`)
  const report = cycleReporter({ output, terminal, json, requestCount: () => session.client.requestCount })
  const notify = notifier(target.notification, print)
  let exitCode = 0
  try {
    for (let cycle = 1; cycle <= options.cycles && !session.signal.aborted; cycle++) {
      const pushNow = cycle === 1 && options.pushNow === true
      const context = session.context(report, options.retryImmediately, pushNow)
      const run = await runJob(context, { notify, ignoreWait: options.retryImmediately })
      exitCode = Math.max(
        exitCode,
        reportRun(run, target, json, print, (text) => errors.write(`${visible(text)}\n`)),
      )
      if (session.takePauseRequest()) {
        pauseJob(session.state)
        context.onStateChanged()
        print('Paused.')
        break
      }
      session.save()
      if (cycle < options.cycles) await session.clock.sleep(options.intervalMs, session.signal)
    }
    return session.signal.aborted ? 130 : exitCode
  } finally {
    session.close()
  }
}

function reportRun(
  run: JobRun,
  { stateFile }: JobTarget,
  json: boolean,
  print: (text: string) => void,
  warn: (text: string) => void,
): number {
  if (run.kind === 'refused') {
    warn(`Nothing was sent: ${run.reason}.`)
    return 1
  }
  if (!json) print(`State: ${stateFile}`)
  if (run.kind === 'quarantined') {
    const { reason, error, nextAttempt } = run.quarantine
    warn(`The job is in quarantine (${reason}): ${error}`)
    warn(`Next attempt: ${new Date(nextAttempt).toISOString()}`)
    if (reason === 'TooManyDeletes') warn(`Nothing was applied. Allow it with: ${PROGRAM} allow-deletes …`)
    return 1
  }
  if (!run.complete) print('Run the same command again to resume it.')
  return failedCount(run.summary) === 0 ? 0 : 1
}
