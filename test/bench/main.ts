/**
 * `npm run bench -- [section …] [options]`: runs the given sections one after the other, each as a separate process
 * that prints Markdown tables, and writes the measurements to bench.json. An option is passed to every section that
 * supports it. Fails if a response was wrong or a server did not start.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, isSection, SECTIONS, type Section, type SectionName } from './sections.ts'

const ALL = Object.keys(SECTIONS).filter(isSection)
const RESULT_FILE = resolve(import.meta.dirname, '..', '..', 'bench.json')

process.exitCode = main(process.argv.slice(2))

function main(args: readonly string[]): number {
  const optionsAt = args.findIndex((arg) => arg.startsWith('-'))
  const names = optionsAt === -1 ? args : args.slice(0, optionsAt)
  const options = optionsAt === -1 ? [] : args.slice(optionsAt)
  const unknown = names.find((name) => !isSection(name))
  if (unknown !== undefined) return fail(`There is no section "${unknown}".`, ALL)
  const given = names.filter(isSection)
  if (options.includes('--help') || options.includes('-h')) {
    console.log(usage(given.length > 0 ? given : ALL))
    return 0
  }
  const chosen = given.length > 0 ? given : ALL.filter((name) => SECTIONS[name].isDefault)
  const unsupported = unsupportedOption(chosen, options)
  if (unsupported !== undefined)
    return fail(`Unknown option "${unsupported}" of ${chosen.join(', ')}.`, chosen)
  return runAll(chosen, options)
}

/** @returns the exit code */
function runAll(names: readonly SectionName[], options: readonly string[]): number {
  const runs = names.map((name) => ({ name, ...runSection(name, options) }))
  write(Object.fromEntries(runs.map(({ name, result }) => [name, result])))
  const failed = runs.filter(({ code }) => code !== 0).map(({ name }) => name)
  if (failed.length > 0) console.error(`Failed: ${failed.join(', ')}`)
  return failed.length > 0 ? 1 : 0
}

/** @returns the exit code */
function fail(message: string, names: readonly SectionName[]): number {
  console.error(`${message}\n\n${usage(names)}`)
  return 2
}

function unsupportedOption(names: readonly SectionName[], options: readonly string[]): string | undefined {
  const known = new Set<string>(names.flatMap((name) => Object.keys(SECTIONS[name].options)))
  return options.find((option) => option.startsWith('-') && !known.has(optionName(option)))
}

function usage(names: readonly SectionName[]): string {
  return `npm run bench -- [section …] [options]\n\n${names.map(describe).join('\n')}`
}

function optionName(option: string): string {
  return option.replace(/^--/, '').replace(/=.*$/, '')
}

/** The given options that a section supports, with their values. */
function optionsOf(section: Section, options: readonly string[]): string[] {
  let isSupported = false
  return options.filter((option) => {
    if (option.startsWith('-')) isSupported = Object.hasOwn(section.options, optionName(option))
    return isSupported
  })
}

function runSection(name: SectionName, options: readonly string[]): { code: number | null; result: unknown } {
  const section: Section = SECTIONS[name]
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
