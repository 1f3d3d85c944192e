/**
 * A proxy between a client and the server. It records the successfully answered writes by their request ids, which
 * the provisioning log has too.
 */
import { createServer, request as forward, type Server } from 'node:http'

export interface RecordingProxy {
  readonly port: number
  /** Request ids of the writes whose success reached the client. */
  readonly accepted: Set<string>
  /** The port of the server. */
  target: number
  /** Called before the write with this number is forwarded. */
  atWrite: (number: number) => void
  writes: number
  close(): void
}

export async function startRecordingProxy(): Promise<RecordingProxy> {
  const server = createServer((incoming, outgoing) => {
    const isWrite = incoming.method !== 'GET'
    if (isWrite) proxy.atWrite(++proxy.writes)
    const { url, method, headers } = incoming
    const passed = forward(
      { host: '127.0.0.1', port: proxy.target, path: url, method, headers },
      (answer) => {
        const { statusCode = 0, headers: answered } = answer
        const chunks: Buffer[] = []
        answer.on('data', (chunk) => chunks.push(chunk))
        answer.on('error', () => outgoing.destroy())
        answer.on('end', () => {
          // Whole: only then has the client seen it.
          if (isWrite && statusCode < 300) proxy.accepted.add(String(answered['x-request-id']))
          outgoing.writeHead(statusCode, answered)
          outgoing.end(Buffer.concat(chunks))
        })
      },
    )
    passed.on('error', () => outgoing.destroy())
    incoming.pipe(passed)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const proxy: RecordingProxy = {
    port: portOf(server),
    accepted: new Set(),
    target: 0,
    atWrite: () => undefined,
    writes: 0,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
  return proxy
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
