/**
 * The port of the server on Node.js, by @hono/node-server.
 */
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener, type HttpBindings, RequestError } from '@hono/node-server'
import { fail } from './fail.ts'
import { announce, type Prepared, portError, type Started, start } from './main.ts'
import { badRequestAnswer, hasDotSegments } from './refusal.ts'
import { ANSWER_TIMEOUT_MS } from './unread-answers.ts'
import { closeAfterAnswer, isClosing } from './unread-body.ts'

/** How long the headers of a request may take. Node.js checks every `connectionsCheckingInterval`. */
const HEADERS_TIMEOUT_MS = 15_000
const CHECKING_INTERVAL_MS = 5_000
/** The owner of the turns in which the rest of refused bodies is discarded. No tenant can have this name. */
const UNREAD_BODIES = 'unread bodies'

/**
 * Opens HOST:PORT, starts the service and announces it, or ends the process with the reason.
 *
 * @param onListen is called with the origin of the server, such as "http://127.0.0.1:8787"
 */
export function serveOnNode(prepared: Prepared, onListen?: (origin: string) => void): void {
  const { tls, settings } = prepared
  const { host, port } = settings.listen
  // Set before the first request is read: nothing else runs between the opening of the port and the callback.
  let started: Started | undefined
  const listener = getRequestListener(
    async (request: Request, env: unknown) => {
      const { incoming, outgoing } = env as HttpBindings
      if (isClosing(incoming) || started === undefined) return new Response(null, { status: 503 })
      const { service } = started
      const sent = new Promise((resolve) => outgoing.once('close', resolve))
      const address = incoming.socket.remoteAddress ?? ''
      const response = hasDotSegments(incoming.url ?? '')
        ? badRequestAnswer('the path must not have "." or ".." in it')
        : await service.fetch({ request, address }, sent)
      // An answer whose client is gone is not released by anything else, and would count as unread.
      if (incoming.socket.destroyed) void response.body?.cancel()
      outgoing.setTimeout(ANSWER_TIMEOUT_MS, () => outgoing.destroy())
      if (!incoming.complete) closeAfterAnswer(incoming, response, () => service.turn(UNREAD_BODIES))
      return response
    },
    { hostname: host, errorHandler: failureAnswer },
  )
  const options = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: CHECKING_INTERVAL_MS,
    // The timeout of a whole request: an import may take hours. The reader of a body ends a stalled one.
    requestTimeout: 0,
  }
  try {
    const server =
      tls === undefined ? createServer(options, listener) : createTlsServer({ ...options, ...tls }, listener)
    server.on('error', (error) => fail(portError(error, `port ${port} of ${host}`)))
    server.listen(port, host, () => {
      started = start(prepared)
      const at = server.address() as AddressInfo
      const origin = announce(started, tls === undefined ? 'http' : 'https', at.address, at.port)
      onListen?.(origin)
    })
  } catch (error) {
    fail(portError(error, `port ${port} of ${host}`))
  }
}

/**
 * The answer to a request that cannot become a `Request`, because of its "Host" or its path. The connection is closed:
 * nothing would bound the rest of its body.
 */
function failureAnswer(error: unknown): Response {
  if (!(error instanceof RequestError)) {
    console.error(error)
    return new Response(null, { status: 500 })
  }
  const response = badRequestAnswer(`the "Host" header or the path is not valid: ${error.message}`)
  response.headers.set('Connection', 'close')
  return response
}
