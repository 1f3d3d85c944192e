/**
 * `npm run bench -- [section …] [options]`: runs the given sections one after the other, each as a separate process
 * that prints Markdown tables, and writes the measurements to bench.json. An option is passed to every section that
 * supports it. Fails if a response was wrong or a server did not start.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

interface Section {
  readonly script: string
  readonly what: string
  /** Duration on a machine with two idle processors. */
  readonly minutes: number
  readonly options: readonly string[]
  /** Runs if no section is given. */
  readonly isDefault: boolean
}

const SECTIONS: Readonly<Record<string, Section>> = {
  throughput: {
    script: 'throughput.ts',
    what: "Entra's requests, each in turn with the floor of its host: workerd, Deno, Node.js; wrangler dev",
    minutes: 5,
    options: ['rounds', 'seconds', 'connections', 'hosts'],
    isDefault: true,
  },
  scale: {
    script: 'scale.ts',
    what: 'round trips and rows of every operation by the size of the directory and of a group',
    minutes: 1,
    options: ['user-counts', 'member-counts', 'repetitions'],
    isDefault: true,
  },
  'group-commit': {
    script: 'group-commit.ts',
    what: 'concurrent group writes of 50 clients, alone and batched',
    minutes: 1,
    options: ['rounds'],
    isDefault: true,
  },
  cost: {
    script: 'cost.ts',
    what: 'bytes of users, memberships and log entries, and the monthly cost on Cloudflare: the tables of docs/operate/growth.md',
    minutes: 1,
    options: ['users', 'from'],
    isDefault: false,
  },
  'cold-start': {
    script: 'cold-start.ts',
    what: 'size of the module, time from process start to first response, evaluation of the module',
    minutes: 1,
    options: ['rounds'],
    isDefault: true,
  },
  memory: {
    script: 'memory.ts',
    what: 'memory and speed with 100,000 users and 1,000,000 memberships',
    minutes: 1,
    options: ['users', 'groups', 'memberships'],
    isDefault: true,
  },
  move: {
    script: 'move.ts',
    what: 'a tenant with 1,000,000 users and 10 memberships each moves from one local database to another',
    minutes: 15,
    options: ['users', 'memberships', 'queries'],
    isDefault: false,
  },
  transfer: {
    script: 'transfer.ts',
    what: 'jobs export a tenant with 100,000 users and 10 memberships each, and import the file into another tenant',
    minutes: 2,
    options: ['users', 'memberships', 'queries'],
    isDefault: false,
  },
  undo: {
    script: 'undo.ts',
    what: 'the undo of 10,000 disabled users beside the requests of another client, and the history of a group of 100,000 members',
    minutes: 3,
    options: ['users', 'members', 'seconds'],
    isDefault: false,
  },
  hostile: {
    script: 'hostile.ts',
    what: 'processor time of the worst requests against hostile data: at most 100 ms each',
    minutes: 3,
    options: ['rounds', 'kind'],
    isDefault: false,
  },
  emulator: {
    script: 'emulator.ts',
    what: 'npm run entra provisions 10,000 users, 200 groups and 100,000 memberships; the result is compared',
    minutes: 10,
    options: ['scale', 'concurrency', 'host', 'tenant-url', 'token', 'remote', 'confirm-host'],
    isDefault: false,
  },
}
const RESULT_FILE = resolve(import.meta.dirname, '..', '..', 'bench.json')

process.exitCode = main(process.argv.slice(2))

function main(args: readonly string[]): number {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage())
    return 0
  }
  const optionsAt = args.findIndex((arg) => arg.startsWith('-'))
  const names = optionsAt === -1 ? args : args.slice(0, optionsAt)
  const options = optionsAt === -1 ? [] : args.slice(optionsAt)
  const chosen = names.length > 0 ? names : Object.keys(SECTIONS).filter((name) => SECTIONS[name]?.isDefault)
  const usageError = findUsageError(chosen, options)
  if (usageError !== undefined) {
    console.error(`${usageError}\n\n${usage()}`)
    return 2
  }
  const runs = chosen.map((name) => ({ name, ...runSection(name, options) }))
  write(Object.fromEntries(runs.map(({ name, result }) => [name, result])))
  const failed = runs.filter(({ code }) => code !== 0).map(({ name }) => name)
  if (failed.length > 0) console.error(`Failed: ${failed.join(', ')}`)
  return failed.length > 0 ? 1 : 0
}

function findUsageError(names: readonly string[], options: readonly string[]): string | undefined {
  const unknown = names.find((name) => SECTIONS[name] === undefined)
  if (unknown !== undefined) return `There is no section "${unknown}".`
  const known = new Set(names.flatMap((name) => SECTIONS[name]?.options ?? []))
  const unsupported = options.find((option) => option.startsWith('-') && !known.has(optionName(option)))
  return unsupported === undefined ? undefined : `Unknown option "${unsupported}" of ${names.join(', ')}.`
}

function usage(): string {
  const lines = Object.entries(SECTIONS).map(
    ([name, { what, minutes, options, isDefault }]) =>
      `  ${name.padEnd(11)} ${what}${isDefault ? '' : '; only if it is given'}; about ${minutes} min\n` +
      `${' '.repeat(14)}${options.map((option) => `--${option}`).join(' ')}`,
  )
  return `npm run bench -- [section …] [options]\n\n${lines.join('\n')}`
}

function optionName(option: string): string {
  return option.replace(/^--/, '').replace(/=.*$/, '')
}

/** The given options that a section supports, with their values. */
function optionsOf(section: Section, options: readonly string[]): string[] {
  let isSupported = false
  return options.filter((option) => {
    if (option.startsWith('-')) isSupported = section.options.includes(optionName(option))
    return isSupported
  })
}

function runSection(name: string, options: readonly string[]): { code: number | null; result: unknown } {
  const section = SECTIONS[name]
  if (section === undefined) throw new Error(`no section ${name}`)
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const out = join(folder, 'result.json')
  try {
    console.log(`\n## ${name}: ${section.what}\n`)
    const script = join(import.meta.dirname, section.script)
    const { status } = spawnSync(process.execPath, [script, ...optionsOf(section, options), '--out', out], {
      stdio: 'inherit',
    })
    return { code: status, result: existsSync(out) ? JSON.parse(readFileSync(out, 'utf8')) : null }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function write(results: Readonly<Record<string, unknown>>): void {
  const machine = { node: process.version, processors: availableParallelism(), model: cpus()[0]?.model }
  writeFileSync(
    RESULT_FILE,
    `${JSON.stringify({ at: new Date().toISOString(), machine, results }, null, 2)}\n`,
  )
  console.log(`\nWritten to ${RESULT_FILE}`)
}
