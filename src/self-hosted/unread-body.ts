/**
 * Answers to requests whose body has not arrived, on Node.js: refused uploads, and bodies that are too slow. What is
 * left of the body would stand before the next request of the connection, so the connection ends, and the answer
 * says so (RFC 9112 §9.6): a client that keeps connections then opens another one.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** How long the client may go on sending: it reads the answer after that, or meanwhile. */
const LINGER_MS = 3_000
const MAX_LINGER_BYTES = 8 * 1024 * 1024

const closing = new WeakSet<Socket>()

/** Whether an answer on this connection said that it ends: a server must not process what comes after (§9.6). */
export function isClosing({ socket }: IncomingMessage): boolean {
  return closing.has(socket)
}

/**
 * Adds "Connection: close", and ends the connection in the order of RFC 9112 §9.6: Node.js closes both ways as soon as
 * the answer has left, and what the client is still sending is then answered by a reset, which takes the answer
 * away from it. So only the sending side is closed, and what comes is thrown away for a while.
 */
export function closeAfterAnswer(incoming: IncomingMessage, response: Response): void {
  const { socket } = incoming
  response.headers.set('Connection', 'close')
  closing.add(socket)
  socket.destroySoon = () => {
    // Called again by whoever would hurry.
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
