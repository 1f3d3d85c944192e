/** `concurrency`: tests whether an endpoint loses updates of concurrent clients, and prints what it lost. */
import { randomUUID } from 'node:crypto'
import { checkConcurrency, DEFAULT_CLIENTS } from '../../concurrency/check-concurrency.ts'
import type { RaceResult } from '../../concurrency/race.ts'
import { visible } from '../../visible-text.ts'
import { type Access, withAccess } from '../access.ts'
import { integerOption } from '../options.ts'
import { systemClock } from '../system-clock.ts'
import { readTarget, type Target } from '../target.ts'
import type { CommandContext } from './command.ts'
import { interruption } from './interruption.ts'

/** More connections than that say more about the machine than about the endpoint. */
const MAX_CLIENTS = 500

/**
 * Exit code 0 if nothing was lost, 3 if something was or a race could not run, 130 if interrupted.
 * @throws {UsageError}
 */
export function concurrency(command: CommandContext): Promise<number> {
  const { values, errors } = command
  const target = readTarget(values)
  const clients = integerOption(values, 'clients', 2, MAX_CLIENTS) ?? DEFAULT_CLIENTS
  return withAccess(target.authentication, values, errors.write, (access) =>
    run(target, access, clients, command),
  )
}

async function run(
  { tenantUrl, job }: Target,
  access: Access,
  clients: number,
  { values, output }: CommandContext,
): Promise<number> {
  const json = values.json === true
  const stop = interruption()
  try {
    const results = await checkConcurrency({
      ...{ tenantUrl, ...access, clients, dialect: job.dialect, signal: stop.signal },
      ...{ clock: systemClock, newId: randomUUID },
      onResult: (result) => json || output.write(describeResult(result)),
    })
    const lost = results.reduce((sum, result) => sum + result.lost, 0)
    const isBad = results.some(({ grade }) => grade === 'error')
    const verdict = isBad ? 'error' : 'success'
    output.write(
      json ? `${JSON.stringify({ verdict, lost, results })}\n` : `\nVerdict: ${verdict}, ${lost} lost\n`,
    )
    return stop.signal.aborted ? 130 : isBad ? 3 : 0
  } finally {
    stop.end()
  }
}

function describeResult({ title, grade, message, consequence, source }: RaceResult): string {
  const effect = consequence === undefined ? [] : [`            Entra: ${consequence}`]
  const reference = source === undefined ? [] : [`            Source: ${source}`]
  return [`${grade.padEnd(10)}  ${title}: ${message}`, ...effect, ...reference]
    .map((line) => `${visible(line)}\n`)
    .join('')
}
