/** `mutate`: provisions a directory over a faulty network, and asks whether the endpoint converged afterwards. */
import { randomUUID } from 'node:crypto'
import { MUTATIONS, type Mutation } from '../../mutation/faulty-fetch.ts'
import { type MutateResult, mutate as runMutations } from '../../mutation/mutate.ts'
import { visible } from '../../visible-text.ts'
import { type Access, withAccess } from '../access.ts'
import { readDirectory } from '../files/directory-file.ts'
import { integerOption, type OptionValues, textOption } from '../options.ts'
import { systemClock } from '../system-clock.ts'
import { type JobTarget, readJobTarget } from '../target.ts'
import { UsageError } from '../usage-error.ts'
import type { CommandContext } from './command.ts'
import { interruption } from './interruption.ts'

const DEFAULT_PERCENT = 20
const DEFAULT_CYCLES = 5

/**
 * Exit code 0 if the endpoint converged, 3 if not, 130 if interrupted. The objects stay at the endpoint.
 * @throws {UsageError}
 */
export function mutate(command: CommandContext): Promise<number> {
  const { values, errors } = command
  const target = readJobTarget(values)
  return withAccess(target.authentication, values, errors.write, (access) => run(target, access, command))
}

async function run(target: JobTarget, access: Access, { values, output }: CommandContext): Promise<number> {
  const { tenantUrl, stateTarget, job } = target
  const seed = integerOption(values, 'seed', 0, 4_294_967_295) ?? 1
  const stop = interruption()
  try {
    const result = await runMutations({
      ...{ tenantUrl, stateTarget, job, seed, ...access, clock: systemClock, newId: randomUUID },
      directory: readDirectory(target.directoryFile),
      mutations: mutationsOption(values),
      share: (integerOption(values, 'percent', 0, 100) ?? DEFAULT_PERCENT) / 100,
      cycles: integerOption(values, 'cycles', 1, 1000) ?? DEFAULT_CYCLES,
      signal: stop.signal,
    })
    const json = { seed, ...result }
    output.write(values.json === true ? `${JSON.stringify(json)}\n` : describeResult(result, seed))
    if (stop.signal.aborted) return 130
    return result.converged ? 0 : 3
  } finally {
    stop.end()
  }
}

function mutationsOption(values: OptionValues): readonly Mutation[] {
  const names = textOption(values, 'mutations')?.split(',') ?? Object.keys(MUTATIONS)
  return names.map((name) => {
    if (isMutation(name)) return name
    throw new UsageError(`Unknown mutation "${name}": expected one of ${Object.keys(MUTATIONS).join(', ')}`)
  })
}

function isMutation(name: string): name is Mutation {
  return Object.hasOwn(MUTATIONS, name)
}

const MAX_SHOWN = 50

function describeResult({ requests, mutated, repairs, differences }: MutateResult, seed: number): string {
  const counts = Object.entries(mutated).map(([name, count]) => `${count} ${name}`)
  const shown = differences.slice(0, MAX_SHOWN).map((difference) => `  ${difference}`)
  const more = differences.length > MAX_SHOWN ? [`  … and ${differences.length - MAX_SHOWN} more`] : []
  const verdict =
    differences.length === 0
      ? `Verdict: converged, after ${repairs} cycles without faults`
      : `Verdict: not converged, ${differences.length} differences between the endpoint and what the provider believes`
  const faults = counts.length === 0 ? 'none' : counts.join(', ')
  return [`Seed ${seed}, ${requests} requests. Mutated: ${faults}`, ...shown, ...more, verdict]
    .map((line) => `${visible(line)}\n`)
    .join('')
}
