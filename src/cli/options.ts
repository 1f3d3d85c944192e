/** Options of the commands that work on a data folder. */
import process from 'node:process'
import { parseArgs } from 'node:util'
import type { Chosen } from '../self-hosted/settings.ts'

/** The setting that each option of a command stands for. */
export type OptionSettings = Readonly<Record<string, keyof Chosen>>

interface Parsed {
  readonly chosen: Chosen
  readonly positionals: readonly string[]
}

/**
 * Parses the arguments of a command. `--help` and a mistake end the process.
 *
 * @param positional the name of the one argument that is not an option; undefined if there is none
 */
export function parseOptions(
  args: readonly string[],
  settings: OptionSettings,
  usage: string,
  positional?: string,
): Parsed {
  const names = Object.keys(settings)
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' } as const]))
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: positional !== undefined,
    })
    if (values.help) return end(0, usage)
    if (positional !== undefined && positionals.length !== 1) {
      throw new TypeError(`there must be one ${positional}, found ${positionals.length}`)
    }
    const given = Object.entries(values).map(([name, value]) => [settings[name], value])
    return { chosen: Object.fromEntries(given), positionals }
  } catch (error) {
    return end(2, `error: ${error instanceof Error ? error.message : error}\n\n${usage}`)
  }
}

function end(code: 0 | 2, text: string): never {
  if (code === 0) console.log(text)
  else console.error(text)
  process.exit(code)
}
