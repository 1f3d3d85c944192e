/**
 * Runs a section of the benchmark as a process: reads its options, its result becomes the exit code, and its child
 * processes end with it.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { cleanUp } from './peers/peer.ts'
import { describe, type OptionValues, SECTIONS, type Section, type SectionName } from './sections.ts'

/** The exit code of a wrong option, and of a server that does not start. */
const USAGE_ERROR = 2

/** Reads the options of the command line. `--help` prints them, and a wrong option its name; both end the process. */
export function readOptions<Name extends SectionName>(name: Name): OptionValues<Name> {
  try {
    const { values } = parseArgs({ options: parsedOptions(SECTIONS[name]) })
    // Read from the options of the section, so it has their types.
    if (values.help !== true) return values as unknown as OptionValues<Name>
    console.log(describe(name))
    process.exit(0)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${describe(name)}`)
    process.exit(USAGE_ERROR)
  }
}

function parsedOptions({ options }: Section): NonNullable<ParseArgsConfig['options']> {
  const own = Object.entries(options).map(([option, { default: value, isFlag }]) => [
    option,
    isFlag ? { type: 'boolean', default: false } : { type: 'string', ...(value && { default: value }) },
  ])
  return { ...Object.fromEntries(own), help: { type: 'boolean', short: 'h' }, out: { type: 'string' } }
}

/**
 * @param main returns the exit code, 1 if a response was wrong. An exception is a usage error and gives exit code 2.
 */
export async function runSection(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = USAGE_ERROR
  } finally {
    await cleanUp()
  }
}
