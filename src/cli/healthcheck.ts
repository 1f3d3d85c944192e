/**
 * The command `healthcheck`: asks the server of this machine at /healthz. For a container, whose image has no other
 * program. It reads the same settings as the server.
 */
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { fail } from '../self-hosted/fail.ts'
import { type ListenSettings, readListenSettings } from '../self-hosted/settings.ts'
import { parseOptions } from './options.ts'
import { callOf } from './program.ts'

const TIMEOUT_MS = 5_000
/** Addresses that a server listens on to be reached by any, and the one to reach it by from here. */
const ANY: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

const USAGE = `${callOf('healthcheck')} [--port PORT] [--host HOST] [--data DIR]

Asks the server of this machine whether it is healthy. The exit code is 0 if it is, otherwise 1. The options are those
of "serve".`

/** @returns the exit code */
export async function healthcheck(args: readonly string[]): Promise<number> {
  const { chosen } = parseOptions(args, { port: 'PORT', host: 'HOST', data: 'DATA_FOLDER' }, USAGE)
  try {
    const status = await healthStatus(readListenSettings(chosen))
    if (status === 200) return 0
    console.error(`error: the server is not healthy: /healthz answered ${status}, expected 200`)
    return 1
  } catch (error) {
    return fail(error)
  }
}

/** @returns the status of the answer; what went wrong if there is none */
function healthStatus({ host, port, tls }: ListenSettings): Promise<number | string> {
  const request = tls === undefined ? requestHttp : requestHttps
  return new Promise((done) => {
    const options = {
      host: ANY[host] ?? host,
      port,
      path: '/healthz',
      timeout: TIMEOUT_MS,
      // The certificate is for the public name of the server, and not for this address.
      rejectUnauthorized: false,
    }
    const outgoing = request(options, (incoming) => {
      incoming.resume()
      done(incoming.statusCode ?? 0)
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)))
    outgoing.on('error', (error) => done(`nothing (${error.message})`))
    outgoing.end()
  })
}
