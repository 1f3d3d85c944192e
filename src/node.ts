/**
 * The Node.js entry: the same service behind @hono/node-server. `backup FILE` copies the database.
 */
import { createServer as createTlsServer } from 'node:https'
import process from 'node:process'
import { type HttpBindings, serve } from '@hono/node-server'
import { announce, fail, obey, portError, readTlsFiles, start } from './self-hosted/main.ts'
import { ANSWER_TIMEOUT_MS } from './self-hosted/unread-answers.ts'

await obey(process.argv.slice(2))
const started = start()
const { host, port, tls } = started.settings.listen

try {
  const server = serve(
    {
      hostname: host,
      port,
      fetch: async (request: Request, env: unknown) => {
        const { incoming, outgoing } = env as HttpBindings
        const sent = new Promise((resolve) => outgoing.once('close', resolve))
        const address = incoming.socket.remoteAddress ?? ''
        const response = await started.service.fetch({ request, address }, sent)
        outgoing.setTimeout(ANSWER_TIMEOUT_MS, () => outgoing.destroy())
        return response
      },
      ...(tls === undefined ? {} : { createServer: createTlsServer, serverOptions: readTlsFiles(tls) ?? {} }),
    },
    (at) => announce(started, tls === undefined ? 'http' : 'https', at.address, at.port),
  )
  server.on('error', (error) => fail(portError(error, `port ${port} of ${host}`)))
} catch (error) {
  fail(portError(error, `port ${port} of ${host}`))
}
