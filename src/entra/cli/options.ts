/** Options that several commands share. Each error names the option, the value and what is allowed. */
import { DEFAULT_JOB, groupProfileOf, type JobConfig, providerOf } from '../documents/job.ts'
import type { Dialect } from '../protocol/requests.ts'
import { parseTenantUrl, type TenantUrl } from '../protocol/tenant-url.ts'
import { PROVIDER_NAMES, type ProviderName } from '../providers/providers.ts'
import { UsageError } from './usage-error.ts'

/** Values from parseArgs: absent, text or a flag. */
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>

export function textOption(values: OptionValues, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** @throws {UsageError} */
export function requireText(values: OptionValues, name: string, meaning: string): string {
  const value = textOption(values, name)
  if (value === undefined) throw new UsageError(`--${name} is missing: ${meaning}`)
  return value
}

/** @throws {UsageError} */
export function integerOption(
  values: OptionValues,
  name: string,
  min: number,
  max: number,
): number | undefined {
  const text = textOption(values, name)
  if (text === undefined) return undefined
  const number = Number(text)
  if (!Number.isInteger(number) || number < min || number > max)
    throw new UsageError(`--${name} must be an integer from ${min} to ${max}, got "${text}"`)
  return number
}

/** @throws {UsageError} */
export function choiceOption<Choice extends string>(
  values: OptionValues,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = textOption(values, name)
  const choice = choices.find((candidate) => candidate === text)
  if (text === undefined || choice !== undefined) return choice
  const allowed = choices.map((candidate) => `"${candidate}"`).join(' or ')
  throw new UsageError(`--${name} must be ${allowed}, got "${text}"`)
}

/** @throws {UsageError} */
export function tenantUrlOption(text: string): TenantUrl {
  try {
    return parseTenantUrl(text)
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/**
 * --dialect overrides a flag in the Tenant URL, which overrides the job.
 * @throws {UsageError}
 */
export function dialectOption(values: OptionValues, tenantUrl: TenantUrl, otherwise: Dialect): Dialect {
  return choiceOption(values, 'dialect', ['old', 'flag']) ?? tenantUrl.dialect ?? otherwise
}

/**
 * Whose requests are sent; undefined if the job file or the default decides.
 * @throws {UsageError}
 */
export function providerOption(values: OptionValues): ProviderName | undefined {
  return choiceOption(values, 'provider', PROVIDER_NAMES)
}

/**
 * Whether to send all members of every group.
 * @throws {UsageError} if the provider has no such command
 */
export function pushNowOption(values: OptionValues, job: JobConfig): boolean {
  if (values['push-now'] !== true) return false
  if (job.groups === undefined || groupProfileOf(job).members.pushNow === undefined)
    throw new UsageError(`--push-now is a command of Okta; ${providerOf(job).title} has none`)
  return true
}

/**
 * The job with the overrides from the command line.
 * @throws {UsageError}
 */
export function jobOption(
  values: OptionValues,
  tenantUrl: TenantUrl,
  job: JobConfig = DEFAULT_JOB,
): JobConfig {
  const concurrency = integerOption(values, 'concurrency', 1, 100) ?? job.concurrency
  const exact = values.exact === true || job.exact
  return { ...job, dialect: dialectOption(values, tenantUrl, job.dialect), concurrency, exact }
}
