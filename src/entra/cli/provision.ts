/** `provision`: the short form. One cycle by the tutorial's job; failures of earlier runs are tried again at once. */
import { runCycle } from '../cycle.ts'
import { JobFailure } from '../provision-object.ts'
import type { CommandContext } from './command.ts'
import { cycleReporter } from './cycle-reporter.ts'
import { jobOption, requireText, tenantUrlOption, textOption, tokenOption } from './options.ts'
import { Session } from './session.ts'
import { defaultStateFile, stateTarget } from './state-file.ts'
import { failedCount } from './summary-table.ts'

/** Exit code 0 when all went well, 1 when anything failed, 130 when it was stopped. @throws {UsageError} */
export async function provision({ values, output }: CommandContext): Promise<number> {
  const directoryFile = requireText(values, 'directory', 'the directory file, JSON or YAML')
  const tenantUrl = tenantUrlOption(requireText(values, 'tenant-url', 'the Tenant URL of the SCIM endpoint'))
  const token = tokenOption(values)
  const job = jobOption(values, tenantUrl)
  const stateFile =
    textOption(values, 'state') ?? defaultStateFile(directoryFile, stateTarget(tenantUrl, token))
  const session = new Session({ directoryFile, stateFile, tenantUrl, token, job, retryAll: true })
  const json = values.json === true
  try {
    const context = session.context(
      cycleReporter({ output, json, requestCount: () => session.client.requestCount }),
    )
    const { summary, complete } = await runCycle(context)
    if (!json) output.write(`State: ${stateFile}\n`)
    if (complete) return failedCount(summary) === 0 ? 0 : 1
    if (!json) output.write('Run the same command again to go on.\n')
    return 130
  } catch (error) {
    if (!(error instanceof JobFailure)) throw error
    process.stderr.write(
      `The job stopped: ${error.failure.code}: ${error.failure.detail}\nState: ${stateFile}\n`,
    )
    return 1
  } finally {
    session.close()
  }
}
