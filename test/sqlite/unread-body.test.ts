/**
 * The rest of a refused body on Node.js: it is discarded chunk by chunk, each in a turn.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { closeAfterAnswer } from '../../src/self-hosted/unread-body.ts'

const MIB = 1024 * 1024

describe('the rest of a refused body', () => {
  it('is discarded in turns, and the client reads the answer meanwhile', async () => {
    const given: (() => void)[] = []
    let areGiven = false
    const turn = () => (areGiven ? undefined : new Promise<void>((resolve) => given.push(resolve)))
    let refused: IncomingMessage | undefined
    const server = createServer((incoming, outgoing) => {
      refused = incoming
      const response = new Response(null)
      closeAfterAnswer(incoming, response, turn)
      outgoing.writeHead(413, Object.fromEntries(response.headers)).end('too large')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const answer: string[] = []
    socket.setEncoding('latin1').on('data', (text) => answer.push(String(text)))
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${4 * MIB}\r\n\r\n`)
    socket.write(Buffer.alloc(4 * MIB))
    await expect.poll(() => answer.join('')).toContain('too large')
    await expect.poll(() => given.length).toBe(1)
    expect(refused?.socket.bytesRead).toBeLessThan(MIB)
    areGiven = true
    given[0]?.()
    await once(socket, 'close')
    await expect.poll(() => refused?.complete).toBe(true)
    expect(answer.join('')).toMatch(/^HTTP\/1\.1 413 .*connection: close/is)
    server.close()
  })
})
