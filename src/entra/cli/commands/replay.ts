/** `replay`: sends a cassette to an endpoint, and lists where its answers differ in meaning from the recorded ones. */
import { type ReplayStep, replay as replayCassette } from '../../recording/replay.ts'
import type { ScimExchange } from '../../recording/scim-path.ts'
import { visible } from '../../visible-text.ts'
import { type Access, withAccess } from '../access.ts'
import { readCassette } from '../files/cassette-file.ts'
import { systemClock } from '../system-clock.ts'
import { readTarget, type Target } from '../target.ts'
import { UsageError } from '../usage-error.ts'
import type { CommandContext } from './command.ts'
import { interruption } from './interruption.ts'

/**
 * Exit code 0 if every answer is the same, 1 if not, 130 if interrupted.
 * @throws {UsageError}
 */
export function replay(command: CommandContext): Promise<number> {
  const { values, errors, positionals } = command
  const [file, ...others] = positionals
  if (file === undefined || others.length > 0) throw new UsageError('Expected one cassette, a HAR file')
  const exchanges = readCassette(file)
  const target = readTarget(values)
  return withAccess(target.authentication, values, errors.write, (access) =>
    run(target, access, exchanges, command),
  )
}

async function run(
  { tenantUrl }: Target,
  access: Access,
  exchanges: readonly ScimExchange[],
  { values, output }: CommandContext,
): Promise<number> {
  const json = values.json === true
  const stop = interruption()
  try {
    const steps = await replayCassette({
      ...{ exchanges, tenantUrl, ...access, clock: systemClock, signal: stop.signal },
      onStep: (step) => json || output.write(describeStep(step, values.verbose === true)),
    })
    const verdict = verdictOf(steps, exchanges.length)
    output.write(json ? `${JSON.stringify({ ...verdict, steps })}\n` : `\n${describeVerdict(verdict)}\n`)
    if (stop.signal.aborted) return 130
    return verdict.same === verdict.requests ? 0 : 1
  } finally {
    stop.end()
  }
}

interface Verdict {
  readonly requests: number
  readonly same: number
  readonly different: number
  readonly skipped: number
  readonly notSent: number
}

/** A request that was skipped proves nothing, so it does not count as the same. */
function verdictOf(steps: readonly ReplayStep[], requests: number): Verdict {
  const skipped = steps.filter((step) => step.skipped !== undefined).length
  const different = steps.filter(({ differences }) => differences.length > 0).length
  const same = steps.length - skipped - different
  return { requests, same, different, skipped, notSent: requests - steps.length }
}

function describeVerdict({ requests, same, different, skipped, notSent }: Verdict): string {
  const rest = notSent === 0 ? '' : `, ${notSent} not sent because the endpoint no longer answers`
  return `${requests} requests: ${same} answers are the same, ${different} differ, ${skipped} skipped${rest}`
}

function describeStep(
  { number, method, path, status, differences, skipped }: ReplayStep,
  verbose: boolean,
): string {
  if (!verbose && differences.length === 0 && skipped === undefined) return ''
  const outcome = skipped === undefined ? (status ?? 'no answer') : `skipped: ${skipped}`
  const lines = differences.map(
    ({ path: attribute, recorded, actual }) =>
      `      ${attribute}: recorded ${shown(recorded)}, found ${shown(actual)}`,
  )
  return [`#${number} ${method} ${path}: ${outcome}`, ...lines].map((line) => `${visible(line)}\n`).join('')
}

const MAX_SHOWN = 300

function shown(value: unknown): string {
  const text =
    value === undefined ? 'nothing' : typeof value === 'string' ? `"${value}"` : JSON.stringify(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}
