/** The help of the Entra emulator, made of the tables of its commands and options. */
import { COMMANDS, type CommandDefinition, takesTenantUrl } from './command-table.ts'
import { OPTIONS } from './option-table.ts'
import { PROGRAM } from './program.ts'

/** All commands. */
export function help(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length))
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return [
    'Emulates the provisioning service of Microsoft Entra ID: sends the requests that Entra sends',
    'to any SCIM 2.0 endpoint.',
    '',
    `${PROGRAM} COMMAND [options]`,
    '',
    ...lines,
    '',
    `${PROGRAM} COMMAND --help  shows the options of a command.`,
    `${PROGRAM} --version       shows the version.`,
    '',
  ].join('\n')
}

/** One command with its options. */
export function commandHelp(name: string, command: CommandDefinition): string {
  const { summary, options } = command
  const positionals = takesTenantUrl(command) ? '[TENANT-URL]' : command.positionals
  const rows = options.map((option) => {
    const definition = OPTIONS[option]
    return [
      `--${option}${definition?.placeholder === undefined ? '' : ` ${definition.placeholder}`}`,
      definition?.help,
    ]
  })
  const width = Math.max(0, ...rows.map(([left]) => left?.length ?? 0))
  const indent = ' '.repeat(width + 4)
  const words = [PROGRAM, name, options.length > 0 && '[options]', positionals]
  const usage = words.filter(Boolean).join(' ')
  return [
    `${name}: ${summary}`,
    '',
    usage,
    '',
    ...rows.map(([left, right]) => `  ${left?.padEnd(width)}  ${right?.replaceAll('\n', `\n${indent}`)}`),
    '',
  ].join('\n')
}
