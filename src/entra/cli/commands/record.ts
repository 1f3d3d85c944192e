/** `record`: a proxy that writes what a client and an endpoint say to each other into a cassette, until Ctrl-C. */
import { existsSync } from 'node:fs'
import { Recorder } from '../../recording/recorder.ts'
import { visible } from '../../visible-text.ts'
import { writeCassette } from '../files/cassette-file.ts'
import { interrupted } from '../interrupted.ts'
import { integerOption, requireText, tenantUrlOption, textOption } from '../options.ts'
import { DEFAULT_PROXY_PORT, startRecordingProxy } from '../recording-proxy.ts'
import { UsageError } from '../usage-error.ts'
import { version } from '../version.ts'
import type { CommandContext } from './command.ts'

/**
 * Exit code 0 after Ctrl-C. The credentials are those of the client that is recorded, and are not kept.
 * @throws {UsageError}
 */
export async function record({ values, output }: CommandContext): Promise<number> {
  const tenantUrl = tenantUrlOption(requireText(values, 'tenant-url', 'the Tenant URL of the SCIM endpoint'))
  const file = requireText(values, 'output', 'the file of the cassette')
  const port = integerOption(values, 'port', 0, 65_535) ?? DEFAULT_PROXY_PORT
  if (existsSync(file) && values.force !== true)
    throw new UsageError(`"${file}" already exists; use --force to overwrite it`)
  const recorder = new Recorder(tenantUrl.base)
  const write = () => writeCassette(file, recorder.cassette(version))
  // A wrong path is known before the recording.
  write()
  const proxy = await startRecordingProxy({
    port,
    tenantUrl,
    onExchange: (exchange) => {
      recorder.add(exchange)
      const { pathname } = new URL(exchange.url)
      output.write(`${visible(`${exchange.method} ${pathname}: ${exchange.status || 'no answer'}`)}\n`)
    },
  })
  output.write(
    `Enter this Tenant URL in the client, with the credentials of the target: ${proxy.tenantUrl}\nPress Ctrl-C to end.\n`,
  )
  await interrupted()
  await proxy.close()
  write()
  output.write(`${textOption(values, 'output')}: ${recorder.count} requests\n`)
  return 0
}
