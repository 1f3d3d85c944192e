/**
 * The command line of the package and of the binary: the server, the emulator, and the consumer of the event feed, each
 * loaded when it is needed. The emulator needs Node.js 20; the server needs what `requireServingRuntime` says.
 */
import process from 'node:process'
import { VERSION } from '../admin/version.ts'
import { callOf, PROGRAM } from './program.ts'
import { requireServingRuntime } from './serving-runtime.ts'

interface CommandDefinition {
  readonly usage: string
  readonly summary: string
  /** @returns the exit code; undefined if the process goes on */
  readonly run: (args: readonly string[]) => Promise<number | undefined>
}

const COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  serve: {
    usage: 'serve',
    summary: 'serve a directory from a folder of this machine',
    run: async (args) => {
      requireServingRuntime('serve')
      return (await import('./serve.ts')).serve(args)
    },
  },
  healthcheck: {
    usage: 'healthcheck',
    summary: 'ask the server of this machine whether it is healthy',
    run: async (args) => {
      requireServingRuntime('healthcheck')
      return (await import('./healthcheck.ts')).healthcheck(args)
    },
  },
  backup: {
    usage: 'backup FILE',
    summary: 'copy the database, also while it is served',
    run: async (args) => {
      requireServingRuntime('backup')
      return (await import('./backup.ts')).backup(args)
    },
  },
  follow: {
    usage: 'follow',
    summary: 'print the changes of a directory as they come, and keep a copy of it',
    run: async (args) => (await import('../consumer/cli.ts')).main(args, callOf('follow')),
  },
}

/** Runs one command line and sets the exit code of the process. */
export async function main(args: readonly string[]): Promise<void> {
  const [name = '--help', ...rest] = args
  if (name === '--version' || name === '-v') return console.log(VERSION)
  if (name === '--help' || name === '-h' || name === 'help') {
    process.exitCode = args.length === 0 ? 2 : 0
    return console.log(await help())
  }
  const run = Object.hasOwn(COMMANDS, name) ? COMMANDS[name]?.run : undefined
  const code = await (run === undefined ? emulate(args) : run(rest))
  if (code !== undefined) process.exitCode = code
}

/** Every other command is one of the emulator. */
async function emulate(args: readonly string[]): Promise<number> {
  const emulator = await import('../entra/cli.ts')
  const [name] = args
  const names = emulator.summaries().map(([known]) => known)
  if (name === undefined || names.includes(name)) return emulator.main(args)
  const hint = emulator.didYouMean(name, [...Object.keys(COMMANDS), ...names])
  console.error(`error: unknown command "${name}"; ${PROGRAM} --help lists the commands.${hint}`)
  return 2
}

async function help(): Promise<string> {
  const { summaries } = await import('../entra/cli.ts')
  const own = Object.values(COMMANDS).map(({ usage, summary }) => [usage, summary] as const)
  const width = Math.max(...[...own, ...summaries()].map(([usage]) => usage.length))
  const rows = (commands: readonly (readonly [string, string])[]) =>
    commands.map(([usage, summary]) => `  ${usage.padEnd(width)}  ${summary}`).join('\n')
  return `scim-worker ${VERSION}: a SCIM 2.0 directory, and an emulator of Microsoft Entra's provisioning service

${PROGRAM} COMMAND [options]

The directory:

${rows(own)}

The emulator, for any SCIM 2.0 endpoint:

${rows(summaries())}

${PROGRAM} COMMAND --help  shows the options of a command.
${PROGRAM} --version       prints the version.`
}
