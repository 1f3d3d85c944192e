/** One run of `entra provision` as a separate process, with its resource usage. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { CycleEvent } from '../../../src/entra/engine/cycle-context.ts'
import type { Endpoint } from './endpoint.ts'

export interface Provisioning {
  readonly requests: number
  readonly failed: number
  readonly memberships: number
  readonly wallMs: number
  /** User and system time of the emulator's process. */
  readonly processorMs: number
  readonly peakMb: number
}

const CLI = resolve(import.meta.dirname, '../../../src/entra/cli.ts')
const USAGE_HOOK = join(import.meta.dirname, 'resource-usage.mjs')

/** @throws {Error} if no cycle finished */
export async function provision(
  directoryFile: string,
  { tenantUrl, token }: Endpoint,
  concurrency: string,
): Promise<Provisioning> {
  const usageFile = `${directoryFile}.usage`
  const target = ['--directory', directoryFile, '--tenant-url', tenantUrl, '--concurrency', concurrency]
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', USAGE_HOOK, CLI, 'provision', ...target, '--json'], {
    env: { ...process.env, ENTRA_SECRET_TOKEN: token, RESOURCE_USAGE_FILE: usageFile },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((done) => child.on('close', () => done()))
  const finished = await lastCycle(createInterface({ input: child.stdout }))
  await ended
  const wallMs = performance.now() - started
  if (finished === undefined) throw new Error('the emulator did not finish a cycle')
  const usage: NodeJS.ResourceUsage = JSON.parse(readFileSync(usageFile, 'utf8'))
  const { counts, requests } = finished.summary
  return {
    requests,
    failed: counts.User.failed + counts.Group.failed + counts.Membership.failed,
    memberships: counts.Membership.created,
    wallMs,
    processorMs: (usage.userCPUTime + usage.systemCPUTime) / 1000,
    peakMb: usage.maxRSS / 1024,
  }
}

type Finished = Extract<CycleEvent, { type: 'cycleFinished' }>

async function lastCycle(lines: AsyncIterable<string>): Promise<Finished | undefined> {
  let finished: Finished | undefined
  for await (const line of lines) {
    const event: CycleEvent = JSON.parse(line)
    if (event.type === 'cycleFinished') finished = event
  }
  return finished
}
