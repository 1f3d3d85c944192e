/**
 * A bare HTTP/1.1 client that costs little: connections that each send one request after the other, made
 * beforehand as bytes. 127.0.0.1 only.
 */
import { connect, type Socket } from 'node:net'

/** A server that takes longer has hung up, or should. */
const ANSWER_TIMEOUT_MS = 20_000

export interface Load {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** The next request, whole. */
  readonly next: () => string
}

export interface LoadResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers that were no success. */
  readonly failed: number
  /** The first of them. */
  readonly failure: string | undefined
}

/** An HTTP request as text. */
export function httpRequest(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): string {
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}${length}\r\n${body ?? ''}`
}

/** Sends requests for some seconds and counts the answers. */
export async function measure({ port, connections, seconds, next }: Load): Promise<LoadResult> {
  const times: number[] = []
  const failures: string[] = []
  const started = performance.now()
  const deadline = started + seconds * 1000
  const run = async () => {
    const connection = await Connection.open(port)
    while (performance.now() < deadline) {
      const sent = performance.now()
      const answer = await connection.exchange(next())
      times.push(performance.now() - sent)
      if (!/^HTTP\/1\.1 2/.test(answer)) failures.push(answer)
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: connections }, run))
  const elapsed = (performance.now() - started) / 1000
  times.sort((a, b) => a - b)
  return {
    perSecond: (times.length - failures.length) / elapsed,
    p50Ms: times[Math.floor(times.length * 0.5)] ?? 0,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
    failed: failures.length,
    failure: failures[0],
  }
}

class Connection {
  readonly #socket: Socket
  #text = ''
  #answered: ((answer: string) => void) | undefined
  #failed: ((error: Error) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setTimeout(ANSWER_TIMEOUT_MS, () =>
      this.#failed?.(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)),
    )
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => this.#receive(String(chunk)))
    socket.on('error', (error) => this.#failed?.(error))
    socket.on('close', () => this.#failed?.(new Error('the server closed the connection')))
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Connection(socket)))
      socket.once('error', reject)
    })
  }

  exchange(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve
      this.#failed = reject
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#failed = undefined
    this.#socket.destroy()
  }

  #receive(chunk: string): void {
    this.#text += chunk
    if (!isWhole(this.#text)) return
    const answer = this.#text
    this.#text = ''
    this.#answered?.(answer)
  }
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return false
  const head = text.slice(0, end)
  if (/^HTTP\/1\.1 (?:204|304)/.test(head)) return true
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  if (length !== undefined) return text.length >= end + 4 + Number(length)
  return text.endsWith('0\r\n\r\n')
}
