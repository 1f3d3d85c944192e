/**
 * The emulator under load: provisions a generated directory, provisions it again without changes, and compares the
 * endpoint with the directory. The endpoint is a local server or a given one.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alignColumns } from '../../src/entra/cli/summary-table.ts'
import { generateDirectory } from '../../src/entra/documents/generate.ts'
import { countWrong, type GeneratedDirectory } from './emulator/comparison.ts'
import { type Endpoint, startEndpoint } from './emulator/endpoint.ts'
import { type Provisioning, provision } from './emulator/provision.ts'
import { hostNamed, positive, requireLocal } from './options.ts'
import { readOptions, runSection } from './section.ts'

/** The goal: the server is the bottleneck, not the emulator. */
const MAX_PROCESSOR_SHARE = 0.25
const CONNECTION_TEST_REQUESTS = 2

const values = readOptions('emulator')

const folder = mkdtempSync(join(tmpdir(), 'bench-emulator-'))
await runSection(main)
rmSync(folder, { recursive: true })

interface Size {
  readonly users: number
  readonly groups: number
  readonly memberships: number
}

async function main(): Promise<number> {
  const scale = positive('scale', values.scale)
  const size = {
    users: Math.round(10_000 * scale),
    groups: Math.max(1, Math.round(200 * scale)),
    memberships: Math.round(100_000 * scale),
  }
  const endpoint = await openEndpoint()
  try {
    const directory = generateDirectory({
      ...size,
      seed: 7,
      domain: 'quillfern.example',
    }) as GeneratedDirectory
    const file = join(folder, 'directory.json')
    writeFileSync(file, JSON.stringify(directory))
    const first = await provision(file, endpoint, values.concurrency)
    const second = await provision(file, endpoint, values.concurrency)
    printTable(size, first, second)
    const wrong =
      (await countWrong(directory, endpoint)) +
      first.failed +
      Math.abs(second.requests - CONNECTION_TEST_REQUESTS)
    conclude(size, first, second, wrong)
    return wrong === 0 ? 0 : 1
  } finally {
    await endpoint.close()
  }
}

async function openEndpoint(): Promise<Endpoint> {
  const { 'tenant-url': tenantUrl, token } = values
  if (tenantUrl === undefined) return startEndpoint(hostNamed(values.host))
  if (token === undefined) throw new Error('--tenant-url requires --token')
  requireLocal(tenantUrl, values.remote, values['confirm-host'])
  return { tenantUrl, token, close: async () => undefined }
}

function printTable(size: Size, first: Provisioning, second: Provisioning): void {
  const row = (name: string, { requests, wallMs, processorMs, peakMb }: Provisioning) => [
    name,
    String(requests),
    (wallMs / 1000).toFixed(1),
    (requests / (wallMs / 1000)).toFixed(0),
    (processorMs / 1000).toFixed(1),
    `${((100 * processorMs) / wallMs).toFixed(1)} %`,
    peakMb.toFixed(0),
  ]
  const header = ['', 'requests', 'wall s', 'requests/s', 'own processor s', 'share', 'peak MB']
  console.log(`${size.users} users, ${size.groups} groups, ${first.memberships} memberships provisioned`)
  console.log(alignColumns([header, row('initial cycle', first), row('cycle without changes', second)]))
}

function conclude(size: Size, first: Provisioning, second: Provisioning, wrong: number): void {
  const share = first.processorMs / first.wallMs
  const isUnder = share < MAX_PROCESSOR_SHARE
  console.log(
    `own processor time ${isUnder ? 'is' : 'IS NOT'} under a quarter of the wall time; ${wrong} wrong`,
  )
  if (values.out !== undefined)
    writeFileSync(values.out, JSON.stringify({ size, first, second, share, wrong }, null, 2))
}
