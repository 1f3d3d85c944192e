/**
 * Answers to requests whose body has not arrived completely, on Node.js: refused uploads, and bodies that are too
 * slow. The rest of the body would precede the next request on the connection, so the connection is closed, and the
 * answer announces it (RFC 9112 §9.6). A client with persistent connections then opens another one.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** How long the client may continue to send. It reads the answer meanwhile or afterwards. */
const LINGER_MS = 3_000
const MAX_LINGER_BYTES = 8 * 1024 * 1024

const closing = new WeakSet<Socket>()

/**
 * Whether an answer has announced that this connection will be closed. A server must not process further requests on it
 * (RFC 9112 §9.6).
 */
export function isClosing({ socket }: IncomingMessage): boolean {
  return closing.has(socket)
}

/**
 * Adds "Connection: close", and closes the connection in the order of RFC 9112 §9.6. Node.js closes both directions
 * as soon as the answer has left. If the client is still sending, it then gets a reset, which discards the answer. So
 * only the sending direction is closed, and incoming data is discarded for a while.
 */
export function closeAfterAnswer(incoming: IncomingMessage, response: Response): void {
  const { socket } = incoming
  response.headers.set('Connection', 'close')
  closing.add(socket)
  socket.destroySoon = () => {
    // Node.js would call it again and close both directions.
    socket.destroySoon = () => undefined
    socket.end()
    linger(incoming)
  }
}

function linger(incoming: IncomingMessage): void {
  const { socket } = incoming
  let bytes = 0
  const end = () => {
    clearTimeout(timer)
    socket.destroy()
  }
  const timer = setTimeout(end, LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
  incoming.on('data', (chunk: Uint8Array) => {
    bytes += chunk.byteLength
    if (bytes > MAX_LINGER_BYTES) end()
  })
  if (incoming.complete && incoming.readableEnded) end()
  else incoming.once('end', end)
  incoming.resume()
}
