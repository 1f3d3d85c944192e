/**
 * `npm run bench -- [section …] [options]`: runs the chosen sections one after the other, each as a process of its own
 * that prints its table, and writes what they measured to bench.json. Options go to every section that knows them.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

interface Section {
  readonly script: string
  readonly what: string
  readonly options: readonly string[]
}

const SECTIONS: Readonly<Record<string, Section>> = {
  throughput: {
    script: 'throughput.ts',
    what: 'each request of the traffic against its floor, on workerd, Deno, Node.js and wrangler dev',
    options: ['rounds', 'seconds', 'connections', 'hosts'],
  },
  scale: {
    script: 'scale.ts',
    what: 'round trips and rows of every operation by the size of the directory and of a group',
    options: ['users', 'members', 'repetitions'],
  },
  emulator: {
    script: 'emulator.ts',
    what: 'provisions 10,000 users, 200 groups and 100,000 memberships',
    options: ['scale', 'concurrency', 'tenant-url', 'token', 'remote', 'confirm-host'],
  },
  memory: {
    script: 'memory.ts',
    what: 'memory and speed with a large directory on Deno and Node.js',
    options: ['users', 'groups', 'memberships'],
  },
}
const RESULT_FILE = resolve(import.meta.dirname, '..', '..', 'bench.json')

process.exitCode = main(process.argv.slice(2))

function main(args: readonly string[]): number {
  const optionsAt = args.findIndex((arg) => arg.startsWith('-'))
  const names = optionsAt === -1 ? args : args.slice(0, optionsAt)
  const options = optionsAt === -1 ? [] : args.slice(optionsAt)
  const mistake = findMistake(names, options)
  if (mistake !== undefined) {
    console.error(mistake)
    return 2
  }
  const chosen = names.length > 0 ? names : Object.keys(SECTIONS).filter(isPresent)
  const runs = chosen.map((name) => ({ name, ...runSection(name, options) }))
  const results = Object.fromEntries(runs.map(({ name, result }) => [name, result]))
  const machine = { node: process.version, processors: availableParallelism() }
  writeFileSync(
    RESULT_FILE,
    `${JSON.stringify({ at: new Date().toISOString(), machine, results }, null, 2)}\n`,
  )
  console.log(`\nWritten to ${RESULT_FILE}`)
  const failed = runs.filter(({ code }) => code !== 0).map(({ name }) => name)
  if (failed.length > 0) console.error(`Failed: ${failed.join(', ')}`)
  return failed.length > 0 ? 1 : 0
}

function isPresent(name: string): boolean {
  return existsSync(join(import.meta.dirname, SECTIONS[name]?.script ?? ''))
}

function findMistake(names: readonly string[], options: readonly string[]): string | undefined {
  const unknown = names.find((name) => SECTIONS[name] === undefined || !isPresent(name))
  if (unknown !== undefined) return `There is no section "${unknown}".\n\n${usage()}`
  const known = new Set(Object.values(SECTIONS).flatMap(({ options }) => options))
  const odd = options.find((option) => option.startsWith('-') && !known.has(optionName(option)))
  return odd === undefined ? undefined : `${odd === '--help' ? '' : `Unknown option "${odd}".\n\n`}${usage()}`
}

function usage(): string {
  const lines = Object.entries(SECTIONS)
    .filter(([name]) => isPresent(name))
    .map(
      ([name, { what, options }]) =>
        `  ${name.padEnd(10)} ${what}\n${' '.repeat(13)}${options.map((option) => `--${option}`).join(' ')}`,
    )
  return `npm run bench -- [section …] [options]\n\n${lines.join('\n')}`
}

function optionName(option: string): string {
  return option.replace(/^--/, '').replace(/=.*$/, '')
}

/** Its own options of those that were given, each with its value. */
function optionsOf(section: Section, options: readonly string[]): string[] {
  let mine = false
  return options.filter((option) => {
    if (option.startsWith('-')) mine = section.options.includes(optionName(option))
    return mine
  })
}

function runSection(name: string, options: readonly string[]): { code: number | null; result: unknown } {
  const section = SECTIONS[name]
  if (section === undefined) throw new Error(`no section ${name}`)
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const out = join(folder, 'result.json')
  try {
    console.log(`\n${name}: ${section.what}`)
    const script = join(import.meta.dirname, section.script)
    const { status } = spawnSync(process.execPath, [script, ...optionsOf(section, options), '--out', out], {
      stdio: 'inherit',
    })
    return { code: status, result: existsSync(out) ? JSON.parse(readFileSync(out, 'utf8')) : null }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
