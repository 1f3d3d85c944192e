/** Runs the command line in the test's process for speed, or as a separate process if signals and variables matter. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { main } from '../../../src/entra/cli.ts'

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const CLI = join(import.meta.dirname, '../../../src/entra/cli.ts')

export function startCli(
  args: readonly string[],
  env: Record<string, string> = {},
): { child: ChildProcess; result: Promise<CliResult> } {
  const environment: Record<string, string | undefined> = { PATH: process.env.PATH, ...env }
  const child = spawn(process.execPath, [CLI, ...args], {
    // worker-configuration.d.ts declares the variables of the Worker for every process.
    env: environment as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const result = new Promise<CliResult>((resolve, reject) => {
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (text) => {
      stdout += text
    })
    child.stderr?.on('data', (text) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
  return { child, result }
}

/** Runs the command line in the current process. */
export async function runCli(args: readonly string[]): Promise<CliResult> {
  const output = new TextStream()
  const errors = new TextStream()
  const code = await main(args, { output, errors })
  return { code, stdout: output.text, stderr: errors.text }
}

class TextStream extends Writable {
  text = ''

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8')
    done()
  }
}
