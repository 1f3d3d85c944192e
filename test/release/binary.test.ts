/**
 * The binary, alone in a folder that it takes for the whole file system, with the libraries that it links: those of the
 * container image. Needs Linux on x64 or arm64, and root for chroot.
 */
import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import metadata from '../../package.json' with { type: 'json' }
import { announced, finished, freePort, newToken, ROOT, start, temporaryFolder } from './support/command.ts'

const MAX_BYTES = 135_000_000
/** Of a start that creates the database. The time on the clock depends on what else the machine does. */
const MAX_START_PROCESSOR_MS = 1_000
/** Of the container image. */
const USER = 65_532
const CAN_RUN = process.platform === 'linux' && process.getuid?.() === 0
const WHY_NOT = 'needs Linux, and root for chroot'

let binary: string
let jail: string

beforeAll(() => {
  if (!CAN_RUN) return
  const folder = temporaryFolder()
  const build = [join(ROOT, 'src/local/release/binary.mjs'), '--output', folder]
  execFileSync(process.execPath, build, { stdio: 'pipe' })
  binary = join(folder, `scim-worker-linux-${process.arch}`)
  jail = join(folder, 'image')
  execFileSync('sh', [join(ROOT, 'container/image-files.sh'), binary, jail], { stdio: 'pipe' })
  chownSync(join(jail, 'data'), USER, USER)
}, 120_000)

/** A command line inside the folder, as an unprivileged user. */
const inside = (...args: string[]) => ['chroot', `--userspec=${USER}:${USER}`, jail, '/scim-worker', ...args]
/** That of the image, without what the machine's own environment says. */
const ENVIRONMENT = { env: { DATA_FOLDER: '/data', HOST: '127.0.0.1' } }

describe.skipIf(!CAN_RUN)(`the binary (${WHY_NOT})`, () => {
  it('is one file, beside which there are only libraries and the data', () => {
    expect(statSync(binary).size).toBeLessThan(MAX_BYTES)
    const files = readdirSync(jail, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    )
    expect(files.map(({ name }) => name).filter((name) => !/\.so(?:\.|$)/.test(name))).toEqual([
      'scim-worker',
    ])
  })

  it('names its version and its commands', async () => {
    expect(await finished(inside('--version'), ENVIRONMENT)).toEqual({ code: 0, text: metadata.version })
    expect((await finished(inside('check', '--help'), ENVIRONMENT)).text).toMatch(/^scim-worker check \[/m)
  })

  it('serves, says whether it is healthy, passes its own check, and makes a backup', {
    timeout: 60_000,
  }, async () => {
    const port = await freePort()
    const env = { ...ENVIRONMENT.env, PORT: String(port) }
    const server = start(inside('serve'), { env })
    await announced(server)
    expect(processorMs(server.child.pid ?? 0)).toBeLessThan(MAX_START_PROCESSOR_MS)
    expect(await finished(inside('healthcheck'), { env })).toEqual({ code: 0, text: '' })
    const token = await newToken(port, readFileSync(join(jail, 'data', 'settings.env'), 'utf8'))
    const page = await fetch(`http://127.0.0.1:${port}/admin`)
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('Admin token')])
    const check = inside('check', '--tenant-url', `http://127.0.0.1:${port}/scim/v2`)
    const checked = await finished(check, { env: { ...env, ENTRA_SECRET_TOKEN: token } })
    expect(checked.text).toContain('Verdict: success')
    expect(await finished(inside('backup', '/data/copy.sqlite'), { env })).toMatchObject({ code: 0 })
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    expect(existsSync(join(jail, 'data', 'directory.sqlite-wal'))).toBe(false)
    expect(await finished(inside('healthcheck'), { env })).toMatchObject({ code: 1 })
  })

  it('refuses a folder that it cannot create, in one line', async () => {
    const { code, text } = await finished(inside('serve', '--data', '/elsewhere'), ENVIRONMENT)
    expect(code).toBe(1)
    expect(text).toMatch(/^error: "\/elsewhere" cannot be read or written by this user; [^\n]*$/)
  })
})

/** The processor time of a process in milliseconds: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const TICKS_PER_SECOND = 100
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000
}
