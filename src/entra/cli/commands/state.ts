/**
 * Commands that read or change the state of a job without sending requests: pause, restart, allow-deletes, status,
 * connections.
 */
import { writeFileSync } from 'node:fs'
import type { JobState } from '../../documents/state.ts'
import { DEFAULT_RESET, pauseJob, type ResetScope, restartJob } from '../../engine/provisioning-job.ts'
import { visible } from '../../visible-text.ts'
import { isLocked, readState, StateFile } from '../files/state-file.ts'
import { type OptionValues, textOption } from '../options.ts'
import { PROGRAM } from '../program.ts'
import { alignColumns, summaryTable } from '../summary-table.ts'
import { readStateLocation } from '../target.ts'
import { UsageError } from '../usage-error.ts'
import type { CommandContext } from './command.ts'
import { pauseRequestFile } from './session.ts'

const RESET_SCOPES: readonly ResetScope[] = [
  'None',
  'ConnectorDataStore',
  'Escrows',
  'Watermark',
  'QuarantineState',
  'Full',
  'ForceDeletes',
]

/**
 * Pauses the job. A running cycle continues to its end.
 * @throws {UsageError}
 */
export async function pause({ values, output }: CommandContext): Promise<number> {
  const { file } = readStateLocation(values)
  if (isLocked(file)) {
    writeFileSync(pauseRequestFile(file), '')
    output.write('The job is running; it pauses at the end of the current cycle.\n')
    return 0
  }
  changeState(values, pauseJob)
  output.write(`Paused. Resume with: ${PROGRAM} restart --reset None …\n`)
  return 0
}

/** @throws {UsageError} */
export async function restart({ values, output }: CommandContext): Promise<number> {
  const scopes = resetOption(values)
  changeState(values, (state) => restartJob(state, scopes))
  const state = readState(readStateLocation(values).file)
  output.write(
    `Restarted (${scopes.join(', ')}). The next cycle is ${state.initial ? 'an initial' : 'an incremental'} one.\n`,
  )
  return 0
}

/**
 * Allows the next cycle to apply the deletions that were held back.
 * @throws {UsageError}
 */
export async function allowDeletes({ values, output }: CommandContext): Promise<number> {
  changeState(values, (state) => restartJob(state, ['ForceDeletes']))
  output.write('The next cycle applies its deletions regardless of the threshold.\n')
  return 0
}

/** @throws {UsageError} */
export async function status({ values, output }: CommandContext): Promise<number> {
  const { file, target } = readStateLocation(values)
  const state = readState(file, target)
  const { objects: _objects, escrow: _escrow, ...rest } = state
  if (values.json === true)
    output.write(
      `${JSON.stringify({ ...rest, synchronizedEntryCountByType: countLinks(state), escrow: Object.values(state.escrow) })}\n`,
    )
  else output.write(`${describeStatus(file, state)}\n`)
  return 0
}

/**
 * Lists the links between source and target objects.
 * @throws {UsageError}
 */
export async function connections({ values, output }: CommandContext): Promise<number> {
  const { file, target } = readStateLocation(values)
  const links = Object.entries(readState(file, target).objects).flatMap(([sourceId, { type, link }]) =>
    link === undefined
      ? []
      : [
          {
            type,
            sourceId,
            targetId: link.targetId,
            name: link.name,
            active: link.active,
            linkedAt: link.linkedAt,
          },
        ],
  )
  const wanted = textOption(values, 'identity')?.toLowerCase()
  const shown = links.filter(
    (link) =>
      wanted === undefined ||
      Object.values(link).some((value) => String(value).toLowerCase().includes(wanted)),
  )
  if (values.json === true) {
    output.write(`${JSON.stringify(shown)}\n`)
    return 0
  }
  for (const { type, name, sourceId, targetId, active } of shown)
    output.write(
      `${visible(`${type.padEnd(5)}  ${sourceId}  ->  ${targetId}  ${name}${active ? '' : ' (disabled)'}`)}\n`,
    )
  output.write(`${shown.length} of ${links.length} connections\n`)
  return 0
}

function changeState(values: OptionValues, change: (state: JobState) => void): void {
  const { file, target } = readStateLocation(values)
  const stateFile = StateFile.open(file, target)
  try {
    change(stateFile.state)
    stateFile.touch()
  } finally {
    stateFile.close()
  }
}

function resetOption(values: OptionValues): readonly ResetScope[] {
  const text = textOption(values, 'reset')
  if (text === undefined) return DEFAULT_RESET
  return text.split(',').map((part) => {
    const scope = RESET_SCOPES.find((known) => known.toLowerCase() === part.trim().toLowerCase())
    if (scope === undefined)
      throw new UsageError(`--reset must list one or more of ${RESET_SCOPES.join(', ')}, got "${part}"`)
    return scope
  })
}

function countLinks({ objects }: JobState): Record<'User' | 'Group' | 'Membership', number> {
  const counts = { User: 0, Group: 0, Membership: 0 }
  for (const { type, link, gone, members } of Object.values(objects)) {
    if (link !== undefined && gone === undefined) counts[type]++
    counts.Membership += members?.exported.length ?? 0
  }
  return counts
}

function describeStatus(file: string, state: JobState): string {
  const { User, Group, Membership } = countLinks(state)
  const { quarantine, lastCycle } = state
  const rows = [
    ['Status', state.status],
    ['Tenant URL', state.target.tenantUrl],
    ['State file', file],
    ['Provisioned', `${User} users, ${Group} groups, ${Membership} memberships`],
    ['In escrow', String(Object.keys(state.escrow).length)],
    [
      'Next cycle',
      `${state.initial ? 'initial' : 'incremental'}${state.cycleOpen ? `, resumes cycle ${state.cycle}` : ''}`,
    ],
    ['Watermark', state.watermark ?? 'none'],
    ['Steady state since', state.steadyStateFirstAchievedTime ?? 'not yet'],
    ...(quarantine === undefined
      ? []
      : [
          ['Quarantine', quarantine.reason],
          ['  since', new Date(quarantine.seriesBegan).toISOString()],
          ['  next attempt', new Date(quarantine.nextAttempt).toISOString()],
          ['  error', quarantine.error],
        ]),
  ]
  const width = Math.max(...rows.map(([label]) => label?.length ?? 0))
  const lines = rows.map(([label, value]) => visible(`${label?.padEnd(width)}  ${value}`))
  const last =
    lastCycle === undefined
      ? []
      : [
          '',
          `Last cycle: ${lastCycle.cycle} (${lastCycle.kind}), ${lastCycle.requests} requests, finished ${lastCycle.finishedAt}`,
          '',
          summaryTable(lastCycle),
        ]
  return [...lines, ...describeEscrow(state), ...last].join('\n')
}

const MAX_ESCROW_SHOWN = 10

function describeEscrow(state: JobState): string[] {
  const entries = Object.values(state.escrow)
  if (entries.length === 0) return []
  const rows = entries
    .slice(0, MAX_ESCROW_SHOWN)
    .map(({ type, objectId, code, attempts, nextRetry }) => [
      visible(`${type} ${objectId}`),
      code,
      String(attempts),
      new Date(nextRetry).toISOString(),
    ])
  const more = entries.length > MAX_ESCROW_SHOWN ? [`… and ${entries.length - MAX_ESCROW_SHOWN} more`] : []
  return ['', alignColumns([['in escrow', 'error', 'attempts', 'next retry'], ...rows]), ...more]
}
