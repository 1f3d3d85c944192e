/**
 * `logs`: shows the filtered provisioning log as lines, as one entry in detail, as CSV or as JSON. Reads it line by
 * line.
 */

import { csvCell } from '../../../csv-cell.ts'
import type { LogEntry } from '../../engine/provisioning-log.ts'
import { visible } from '../../visible-text.ts'
import { LogFile } from '../files/log-file.ts'
import { integerOption, type OptionValues, textOption } from '../options.ts'
import { readStateLocation } from '../target.ts'
import { UsageError } from '../usage-error.ts'
import type { CommandContext } from './command.ts'

const ACTIONS = ['Create', 'Update', 'Delete', 'Disable', 'StagedDelete', 'Other']
const STATUSES = ['success', 'failure', 'skipped', 'warning']
const CSV_COLUMNS = [
  'id',
  'time',
  'action',
  'status',
  'type',
  'source id',
  'name',
  'target id',
  'error code',
  'reason',
  'cycle',
  'milliseconds',
  'modified',
]

/**
 * Exit code 1 if no entry matches the filter.
 * @throws {UsageError}
 */
export async function logs({ values, output, errors }: CommandContext): Promise<number> {
  const matches = logFilter(values)
  const limit = integerOption(values, 'limit', 1, 10_000_000)
  const show = formatOption(values)
  const id = textOption(values, 'id')
  const isWanted = (entry: LogEntry) => matches(entry) && (id === undefined || entry.id.startsWith(id))
  const file = new LogFile(readStateLocation(values).file)
  const entries = limit === undefined ? wanted(file, isWanted) : await newest(file, isWanted, limit)
  let shown = 0
  if (values.csv === true) output.write(`${CSV_COLUMNS.join(',')}\r\n`)
  for await (const entry of entries) {
    output.write(id === undefined ? show(entry) : values.json === true ? show(entry) : detail(entry))
    shown++
  }
  if (shown === 0) errors.write('No log entry matches.\n')
  return shown === 0 ? 1 : 0
}

type IsWanted = (entry: LogEntry) => boolean

async function* wanted(file: LogFile, isWanted: IsWanted): AsyncGenerator<LogEntry> {
  for await (const entry of file.read()) if (isWanted(entry)) yield entry
}

/** The newest entries, oldest first. Holds at most twice as many in memory. */
async function newest(file: LogFile, isWanted: IsWanted, limit: number): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  for await (const entry of wanted(file, isWanted)) {
    entries.push(entry)
    if (entries.length >= 2 * limit) entries.splice(0, entries.length - limit)
  }
  return entries.slice(-limit)
}

function logFilter(values: OptionValues): (entry: LogEntry) => boolean {
  const action = choiceOption(values, 'action', ACTIONS)
  const status = choiceOption(values, 'status', STATUSES)
  const identity = textOption(values, 'identity')?.toLowerCase()
  return ({ action: done, statusInfo, sourceIdentity, targetIdentity }) => {
    if (action !== undefined && done !== action) return false
    if (status !== undefined && statusInfo.status !== status) return false
    const names = [sourceIdentity.id, sourceIdentity.displayName, targetIdentity?.id ?? '']
    return identity === undefined || names.some((name) => name.toLowerCase().includes(identity))
  }
}

function choiceOption(values: OptionValues, name: string, allowed: readonly string[]): string | undefined {
  const text = textOption(values, name)
  const choice = allowed.find((known) => known.toLowerCase() === text?.toLowerCase())
  if (text !== undefined && choice === undefined)
    throw new UsageError(`--${name} must be one of ${allowed.join(', ')}, got "${text}"`)
  return choice
}

function formatOption(values: OptionValues): (entry: LogEntry) => string {
  if (values.json === true) return (entry) => `${JSON.stringify(entry)}\n`
  return values.csv === true ? csvLine : line
}

function line({ id, activityDateTime, action, statusInfo, sourceIdentity }: LogEntry): string {
  const { status, errorCode, reason } = statusInfo
  const why = [errorCode, reason].filter((part) => part !== undefined).join(': ')
  const who = `${sourceIdentity.identityType} "${sourceIdentity.displayName}"`
  const text = `${id.slice(0, 8)}  ${activityDateTime}  ${status.padEnd(7)}  ${action.padEnd(8)}  ${who}${why === '' ? '' : `  ${why}`}`
  return `${visible(text)}\n`
}

function csvLine(entry: LogEntry): string {
  const { sourceIdentity, statusInfo } = entry
  const cells = [
    entry.id,
    entry.activityDateTime,
    entry.action,
    statusInfo.status,
    sourceIdentity.identityType,
    sourceIdentity.id,
    sourceIdentity.displayName,
    entry.targetIdentity?.id ?? '',
    statusInfo.errorCode ?? '',
    statusInfo.reason ?? '',
    String(entry.cycleId),
    String(entry.durationInMilliseconds),
    entry.modifiedProperties
      .map(({ displayName, newValue }) => `${displayName}=${newValue ?? ''}`)
      .join('; '),
  ]
  return `${cells.map(csvCell).join(',')}\r\n`
}

function detail(entry: LogEntry): string {
  const { statusInfo } = entry
  const steps = entry.provisioningSteps.map(
    ({ provisioningStepType, name, status, description, details }, index) =>
      `  ${index + 1}. ${provisioningStepType} (${name}): ${status}: ${description}${detailsText(details)}`,
  )
  const modified = entry.modifiedProperties.map(
    ({ displayName, oldValue, newValue }) => `  ${displayName}: ${oldValue ?? '–'} -> ${newValue ?? '–'}`,
  )
  const summary = [statusInfo.status, statusInfo.errorCode, statusInfo.reason].filter(
    (part) => part !== undefined,
  )
  const retry =
    statusInfo.nextRetry === undefined
      ? []
      : [`Retries so far: ${statusInfo.retries}, next at ${statusInfo.nextRetry}`]
  return [
    `${entry.action} ${entry.sourceIdentity.identityType} "${entry.sourceIdentity.displayName}"`,
    `Id ${entry.id}, cycle ${entry.cycleId}, ${entry.activityDateTime}, ${entry.durationInMilliseconds} ms`,
    `Source ${entry.sourceIdentity.id}, target ${entry.targetIdentity?.id ?? 'none'}`,
    'Steps',
    ...steps,
    'Modified properties',
    ...(modified.length === 0 ? ['  none'] : modified),
    'Summary',
    `  ${summary.join(': ')}`,
    ...retry.map((text) => `  ${text}`),
    '',
  ]
    .map(visible)
    .join('\n')
}

function detailsText(details: Readonly<Record<string, string>>): string {
  const parts = Object.entries(details).map(([name, value]) => `${name}=${value}`)
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}
