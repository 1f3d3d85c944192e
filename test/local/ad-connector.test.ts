/**
 * The walkthrough in docs/operate/sources.md: an on-premises AD connector beside Microsoft Entra is noticed, and after it is removed the
 * import of ObjectGUID is clean.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  ADMIN_TOKEN,
  buildModules,
  ROOT,
  type Server,
  scim,
  startServer,
  temporaryFolder,
} from '../deno/support/server.ts'

const TIMEOUT_MS = 180_000
const CISCO = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User'

const folder = temporaryFolder()
const directory = join(folder, 'quillfern.json')
let server: Server
let entra: Client
let connector: Client

interface Client {
  readonly id: string
  readonly token: string
}

beforeAll(async () => {
  copyFileSync(join(ROOT, 'test/fixtures/directory/quillfern.json'), directory)
  const env = { TOKEN_LIMIT: '100000', TENANT_LIMIT: '100000' }
  server = await startServer(buildModules(), { runtime: 'Node.js', folder, env })
  entra = await newSource('Microsoft Entra ID')
  connector = await newSource('AD connector')
}, TIMEOUT_MS)

async function admin(method: string, path: string, body?: unknown) {
  const answer = await fetch(`http://127.0.0.1:${server.port}/admin/api/tenants/default${path}`, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return answer.status === 204 ? undefined : await answer.json()
}

async function newSource(name: string): Promise<Client> {
  const { token, clientId } = (await admin('POST', '/tokens', { name })) as {
    token: string
    clientId: string
  }
  return { id: clientId, token }
}

async function finished(child: ChildProcess) {
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (chunk) => (stdout += chunk))
  child.stderr?.on('data', (chunk) => (stderr += chunk))
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

function run(script: string, args: readonly string[], env: Record<string, string> = {}) {
  const tenantUrl = `http://127.0.0.1:${server.port}/scim/v2`
  const all = [join(ROOT, 'src/entra', script), ...args, '--directory', directory, '--tenant-url', tenantUrl]
  const variables: Record<string, string | undefined> = { PATH: process.env.PATH, ...env }
  return finished(
    // worker-configuration.d.ts declares the variables of the Worker for every process.
    spawn(process.execPath, all, { env: variables as NodeJS.ProcessEnv, stdio: ['ignore', 'pipe', 'pipe'] }),
  )
}

const provision = () => run('cli.ts', ['provision'], { ENTRA_SECRET_TOKEN: entra.token })

async function connect(...more: readonly string[]) {
  const file = join(folder, 'connector-token')
  writeFileSync(file, `${connector.token}\n`)
  return await run('cli/ad-connector.ts', ['--token-file', file, ...more])
}

interface ConflictPage {
  readonly conflicts: readonly { readonly kind: string }[]
  readonly nextCursor: string | null
}

/** The kinds of open conflicts. */
async function kinds(): Promise<readonly string[]> {
  const found = new Set<string>()
  for (let cursor: string | null = '0'; cursor !== null; ) {
    const page = (await admin('GET', `/conflicts?cursor=${cursor}`)) as ConflictPage
    for (const { kind } of page.conflicts) found.add(kind)
    cursor = page.nextCursor
  }
  return [...found].toSorted()
}

async function usersWithGuid(): Promise<readonly string[]> {
  const answer = await scim(server.port, entra.token, 'GET', '/Users?count=1000')
  const { Resources } = (await answer.json()) as { Resources: Record<string, { nativeObjectId?: string }>[] }
  return Resources.flatMap((user) => user[CISCO]?.nativeObjectId ?? [])
}

describe('an AD connector beside Microsoft Entra', () => {
  it('is noticed while it writes, and is clean after it is removed', { timeout: TIMEOUT_MS }, async () => {
    const guids = readFileSync(directory, 'utf8').match(/objectGUID/g)?.length ?? 0
    // 1. The connector is on.
    const first = await connect('--once')
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toContain(`${guids + groupsIn()} created`)
    expect(await kinds()).toEqual([])
    // 2. Microsoft Entra imports ObjectGUID: warned.
    expect((await provision()).code).toBe(0)
    expect(await kinds()).toEqual(['nativeObjectId'])
    // Some users of the directory file are not assigned to the application.
    const imported = (await usersWithGuid()).length - guids
    expect(imported).toBeGreaterThan(guids / 2)
    // The connector takes its groups back.
    expect((await connect('--once')).stdout).toMatch(/: \d+ updated, \d+ unchanged\n$/)
    expect(await kinds()).toContain('membership')
    // 3. The connector is removed and turned off: nothing is left open.
    expect(await connect('--remove')).toMatchObject({ code: 0, stderr: '' })
    await admin('DELETE', `/clients/${connector.id}`)
    expect(await kinds()).toEqual([])
    // 4. The next initial cycle of Microsoft Entra: each identity once, as text.
    expect((await run('cli.ts', ['restart'], { ENTRA_SECRET_TOKEN: entra.token })).code).toBe(0)
    await provision()
    expect(await kinds()).toEqual([])
    const left = await usersWithGuid()
    expect(left).toHaveLength(imported)
    expect(new Set(left).size).toBe(imported)
    expect(left.every((guid) => guid.includes('-'))).toBe(true)
    expect((await connect('--once')).code).toBe(1)
  })
})

function groupsIn(): number {
  return (JSON.parse(readFileSync(directory, 'utf8')) as { groups: unknown[] }).groups.length
}
