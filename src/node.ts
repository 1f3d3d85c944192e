/**
 * The Node.js entry: the service behind @hono/node-server. `backup FILE` copies the databases.
 */
import { createServer as createTlsServer } from 'node:https'
import process from 'node:process'
import { type HttpBindings, serve } from '@hono/node-server'
import { announce, fail, portError, readTlsFiles, runCommand, start } from './self-hosted/main.ts'
import { badRequestAnswer, hasDotSegments } from './self-hosted/refusal.ts'
import { ANSWER_TIMEOUT_MS } from './self-hosted/unread-answers.ts'
import { closeAfterAnswer, isClosing } from './self-hosted/unread-body.ts'

/** How long the headers of a request may take. Node.js checks every `connectionsCheckingInterval`. */
const HEADERS_TIMEOUT_MS = 15_000
const CHECKING_INTERVAL_MS = 5_000

await runCommand(process.argv.slice(2))
const started = start()
const { host, port, tls } = started.settings.listen

try {
  const server = serve(
    {
      hostname: host,
      port,
      fetch: async (request: Request, env: unknown) => {
        const { incoming, outgoing } = env as HttpBindings
        if (isClosing(incoming)) return new Response(null, { status: 503 })
        if (hasDotSegments(incoming.url ?? ''))
          return badRequestAnswer('the path must not have "." or ".." in it')
        const sent = new Promise((resolve) => outgoing.once('close', resolve))
        const address = incoming.socket.remoteAddress ?? ''
        const response = await started.service.fetch({ request, address }, sent)
        // An answer whose client is gone is not released by anything else, and would count as unread.
        if (incoming.socket.destroyed) void response.body?.cancel()
        outgoing.setTimeout(ANSWER_TIMEOUT_MS, () => outgoing.destroy())
        if (!incoming.complete) closeAfterAnswer(incoming, response)
        return response
      },
      serverOptions: {
        ...readTlsFiles(tls),
        headersTimeout: HEADERS_TIMEOUT_MS,
        connectionsCheckingInterval: CHECKING_INTERVAL_MS,
        // The timeout of a whole request: an import may take hours. The reader of a body ends a stalled one.
        requestTimeout: 0,
      },
      ...(tls === undefined ? {} : { createServer: createTlsServer }),
    },
    (at) => announce(started, tls === undefined ? 'http' : 'https', at.address, at.port),
  )
  server.on('error', (error) => fail(portError(error, `port ${port} of ${host}`)))
} catch (error) {
  fail(portError(error, `port ${port} of ${host}`))
}
