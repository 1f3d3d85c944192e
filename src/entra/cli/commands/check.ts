/** `check`: tests an endpoint and reports the results as text, JSON, or JUnit XML for continuous integration. */
import { randomUUID } from 'node:crypto'
import { causesOf, verdictOf } from '../../check/causes.ts'
import { checkEndpoint } from '../../check/check.ts'
import type { CheckResult } from '../../check/check-result.ts'
import { CHECK_NAMES } from '../../check/checks/checks.ts'
import { PRESET_NAMES, PRESETS } from '../../check/presets.ts'
import type { CheckMappings } from '../../check/scene.ts'
import type { Grade } from '../../grade.ts'
import { MappingError } from '../../mappings/attribute-mapping.ts'
import { checkReport, type TimedResult } from '../../report/check-report.ts'
import { type Access, withAccess } from '../access.ts'
import { choiceOption, type OptionValues, textOption } from '../options.ts'
import { readReportFiles, SeenSecrets, writeReports } from '../reports.ts'
import { systemClock } from '../system-clock.ts'
import { readTarget, type Target } from '../target.ts'
import { UsageError } from '../usage-error.ts'
import { version } from '../version.ts'
import { describeEnd, describeResult, headingOf } from './check-text.ts'
import type { CommandContext } from './command.ts'
import { checkGallery } from './gallery.ts'
import { type Interruption, interruption } from './interruption.ts'

/** Exit codes by the worst grade. 2 is reserved for wrong usage. */
const EXIT_CODES: Readonly<Record<Grade, number>> = {
  'not-applicable': 0,
  skipped: 0,
  success: 0,
  acceptable: 0,
  deviation: 1,
  error: 3,
}

/**
 * Exit code 0 for success and acceptable, 1 for a deviation, 3 for an error, 130 if interrupted.
 * @throws {UsageError}
 */
export async function check(command: CommandContext): Promise<number> {
  const { values, errors, terminal } = command
  if (choiceOption(values, 'suite', ['entra', 'gallery']) === 'gallery') return await checkGallery(command)
  const target = readTarget(values)
  const scope = readScope(values, target)
  const stop = interruption({
    output: terminal,
    onFirst: () =>
      errors.write('Interrupted: deleting the test objects. Ctrl-C again leaves them at the endpoint.\n'),
  })
  try {
    return await withAccess(target.authentication, values, errors.write, (access) =>
      run({ target, access, scope, stop }, command),
    )
  } catch (error) {
    if (error instanceof MappingError)
      throw new UsageError(`${error.message} (for a user that check invents)`)
    throw error
  } finally {
    stop.end()
  }
}

interface Scope {
  readonly mappings?: CheckMappings
  readonly only?: 'users' | 'groups'
  readonly skip: readonly string[]
}

interface Run {
  readonly target: Target
  readonly access: Access
  readonly scope: Scope
  readonly stop: Interruption
}

/** @throws {UsageError} */
function readScope(values: OptionValues, { job }: Target): Scope {
  const preset = choiceOption(values, 'preset', PRESET_NAMES)
  const hasJob = textOption(values, 'job') !== undefined
  if (preset !== undefined && hasJob)
    throw new UsageError('--preset cannot be used with --job: the job file has mappings of its own')
  const only = choiceOption(values, 'only', ['users', 'groups'])
  const skip = (textOption(values, 'skip') ?? '').split(',').filter((name) => name !== '')
  const unknown = skip.find((name) => !CHECK_NAMES.includes(name))
  if (unknown !== undefined)
    throw new UsageError(
      `--skip has the unknown check "${unknown}": expected any of ${CHECK_NAMES.join(', ')}`,
    )
  const { users, groups } = job
  const ofJob: CheckMappings = {
    users: users.attributeMappings,
    ...(groups === undefined ? {} : { groups: groups.attributeMappings }),
    gallery: false,
  }
  const mappings = hasJob ? ofJob : preset === undefined ? undefined : PRESETS[preset]
  return { skip, ...(mappings === undefined ? {} : { mappings }), ...(only === undefined ? {} : { only }) }
}

async function run(
  { target, access, scope, stop }: Run,
  { values, output }: CommandContext,
): Promise<number> {
  const { tenantUrl, job } = target
  const json = values.json === true
  const dialects = textOption(values, 'dialect') === undefined ? (['old', 'flag'] as const) : [job.dialect]
  const write = (text: string) => {
    if (!stop.isOutputClosed) output.write(text)
  }
  let heading = ''
  const files = readReportFiles(values)
  const secrets = new SeenSecrets(target.authentication)
  const startedAt = systemClock.now()
  const timed: TimedResult[] = []
  const onResult = (result: CheckResult) => {
    timed.push({ result, endedAt: systemClock.now() })
    const text = json ? '' : describeResult(result, values.verbose === true)
    if (text === '') return
    if (heading !== headingOf(result)) write(`\n${headingOf(result)}\n`)
    heading = headingOf(result)
    write(text)
  }
  const results = await checkEndpoint({
    ...{ tenantUrl, ...access, ...scope, dialects, onResult, fetch: secrets.watch(access.fetch) },
    ...{ clock: systemClock, newId: randomUUID, signal: stop.signal },
  })
  const interrupted = stop.signal.aborted
  const details = { tenantUrl, version, startedAt, durationMs: systemClock.now() - startedAt, interrupted }
  writeReports(files, checkReport(timed, headingOf, details), secrets)
  const verdict = interrupted ? 'interrupted' : verdictOf(results)
  write(
    json
      ? `${JSON.stringify({ verdict, results, causes: causesOf(results) })}\n`
      : describeEnd(results, interrupted),
  )
  return verdict === 'interrupted' ? 130 : EXIT_CODES[verdict]
}
