/** Locks between real processes: mutual exclusion, stale locks, and processes that compete for a lock. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LockFile, lockHolder } from '../../../src/entra/cli/files/lock-file.ts'

const RACER = join(import.meta.dirname, '../support/lock-racer.ts')
const RACERS = 4
const ROUNDS = 200

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'))
  file = join(folder, '0.lock')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The id of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid
}

describe('a lock', { timeout: 30_000 }, () => {
  it('has one holder at a time, and can be acquired again after it is released', () => {
    const first = LockFile.acquire(file)
    expect(LockFile.acquire(file)).toEqual({ heldBy: process.pid })
    if (first instanceof LockFile) first.release()
    expect(readdirSync(folder)).toEqual([])
    expect(LockFile.acquire(file)).toBeInstanceOf(LockFile)
  })

  it.each([
    ['a process that has ended', () => String(deadPid())],
    ['an unknown process: the file is empty', () => ''],
    ['an unknown process: the file has other content', () => 'x'],
  ])('is taken over from %s', (_owner, content) => {
    writeFileSync(file, content())
    expect(LockFile.acquire(file)).toBeInstanceOf(LockFile)
    expect(lockHolder(file)).toBe(process.pid)
    expect(readdirSync(folder)).toEqual(['0.lock'])
  })

  it('is taken over although another process died while taking it over', () => {
    const dead = String(deadPid())
    writeFileSync(file, dead)
    const taker = spawnSync(process.execPath, ['--input-type=module', '-e', DYING_TAKER, file], {
      encoding: 'utf8',
    })
    expect(taker.signal).toBe('SIGKILL')
    expect(readdirSync(folder)).toHaveLength(2)
    expect(LockFile.acquire(file)).toBeInstanceOf(LockFile)
    expect(readdirSync(folder)).toEqual(['0.lock'])
  })

  it('is not removed by its former owner after another process took it over', () => {
    const former = LockFile.acquire(file)
    writeFileSync(file, '1 another process')
    if (former instanceof LockFile) former.release()
    expect(readFileSync(file, 'utf8')).toBe('1 another process')
  })
})

/** Acquires the right to replace a stale lock and dies before replacing it. */
const DYING_TAKER = `
  import fs from 'node:fs'
  import { syncBuiltinESMExports } from 'node:module'
  fs.renameSync = () => process.kill(process.pid, 'SIGKILL')
  syncBuiltinESMExports()
  const { LockFile } = await import(${JSON.stringify(new URL('../../../src/entra/cli/files/lock-file.ts', import.meta.url).href)})
  LockFile.acquire(process.argv[1])
`

describe(`${RACERS} processes that compete`, () => {
  it.each([
    ['a stale lock', true],
    ['a free lock', false],
  ])(
    'acquire %s once',
    async (_what, dead) => {
      const pid = deadPid()
      if (dead)
        for (let index = 0; index < ROUNDS; index++) writeFileSync(join(folder, `${index}.lock`), `${pid}`)
      const racers = Array.from({ length: RACERS }, () => new Racer(folder))
      try {
        await Promise.all(racers.map((racer) => racer.nextLine()))
        const start = Date.now() + 200
        for (const racer of racers) racer.start(start)
        const lines = await Promise.all(racers.map((racer) => racer.nextLine()))
        const got = lines.flatMap((line) => JSON.parse(line) as number[])
        expect(got.toSorted((a, b) => a - b)).toEqual(Array.from({ length: ROUNDS }, (_, index) => index))
        expect(readdirSync(folder)).toHaveLength(ROUNDS)
      } finally {
        for (const racer of racers) racer.end()
      }
    },
    60_000,
  )
})

class Racer {
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(folder: string) {
    this.#process = spawn(process.execPath, [RACER, folder, String(ROUNDS)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    if (this.#process.stdout === null) throw new Error('the racer has no output')
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }

  start(moment: number): void {
    this.#process.stdin?.write(`${moment}\n`)
  }

  async nextLine(): Promise<string> {
    return (await this.#lines.next()).value
  }

  end(): void {
    this.#process.kill()
  }
}
