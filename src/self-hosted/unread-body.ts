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
 *
 * @param turn waits for the turn to discard a chunk: the rest of many bodies must not delay requests
 */
export function closeAfterAnswer(
  incoming: IncomingMessage,
  response: Response,
  turn: () => Promise<void> | undefined,
): void {
  const { socket } = incoming
  response.headers.set('Connection', 'close')
  closing.add(socket)
  // Begun before the answer leaves: Node.js would discard all at once what nobody has begun to read by then.
  const discarded = discard(incoming, turn)
  socket.destroySoon = () => {
    // Node.js would call it again and close both directions.
    socket.destroySoon = () => undefined
    socket.end()
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(timer))
    void discarded.then(() => socket.destroy())
  }
}

/** Resolves at the end of the body, after too much of it, or when the client is gone. */
async function discard(incoming: IncomingMessage, turn: () => Promise<void> | undefined): Promise<void> {
  // The handler has stopped reading.
  incoming.removeAllListeners('data')
  let bytes = 0
  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Uint8Array).byteLength
      if (bytes > MAX_LINGER_BYTES) return
      await turn()
    }
  } catch {
    // The client has gone, so there is nothing left to discard.
  }
}
