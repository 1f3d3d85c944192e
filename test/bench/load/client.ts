/**
 * A minimal HTTP/1.1 client with low overhead. Each connection sends one request after the other. Requests are prepared
 * as text, and responses are searched for expected texts without parsing. 127.0.0.1 only.
 */
import { connect, type Socket } from 'node:net'

/** Time limit for a response. */
const RESPONSE_TIMEOUT_MS = 20_000

/** A request and its expected response. */
export interface Exchange {
  /** The complete request: see httpRequest. */
  readonly request: string
  /** Or each of several, if servers may choose. */
  readonly status: number | readonly number[]
  /** Texts that the response must contain. */
  readonly holds?: readonly string[]
  /** What else is true of a correct response. */
  readonly check?: (answer: string) => boolean
}

export interface Load {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** Returns the next request. */
  readonly next: () => Exchange
}

export interface LoadResult {
  readonly seconds: number
  /** Durations of the correct responses, in ms. */
  readonly times: readonly number[]
  /** The number of incorrect responses. */
  readonly wrong: number
  /** The first incorrect response with its request. */
  readonly firstWrong: string | undefined
}

/** Formats an HTTP request as text. */
export function httpRequest(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): string {
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join('')}${length}\r\n${body ?? ''}`
}

/** Sends requests for some seconds and waits for the last responses. */
export async function measure({ port, connections, seconds, next }: Load): Promise<LoadResult> {
  const times: number[] = []
  const wrong: string[] = []
  const opened = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)))
  const started = performance.now()
  const deadline = started + seconds * 1000
  const run = async (connection: Connection) => {
    while (performance.now() < deadline) {
      const exchange = next()
      const sent = performance.now()
      const answer = await connection.exchange(exchange.request)
      if (isRight(answer, exchange)) times.push(performance.now() - sent)
      else wrong.push(`${exchange.request}\n-> ${answer}`)
    }
  }
  try {
    await Promise.all(opened.map(run))
  } finally {
    for (const connection of opened) connection.close()
  }
  const elapsed = (performance.now() - started) / 1000
  return { seconds: elapsed, times, wrong: wrong.length, firstWrong: wrong[0] }
}

export function isRight(answer: string, { status, holds = [], check }: Exchange): boolean {
  const text = withoutChunkSizes(answer)
  return (
    [status].flat().includes(statusOf(answer)) &&
    holds.every((held) => text.includes(held)) &&
    (check === undefined || check(text))
  )
}

export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
}

/** JSON has no line breaks of its own here, so each of them in a chunked body belongs to the size of a chunk. */
function withoutChunkSizes(answer: string): string {
  const end = answer.indexOf('\r\n\r\n')
  if (!/\r\ntransfer-encoding: chunked/i.test(answer.slice(0, end))) return answer
  return answer.slice(0, end) + answer.slice(end).replaceAll(/\r\n[0-9a-f]+\r\n/g, '')
}

/**
 * Sends one request on a separate connection.
 * @returns the complete response
 */
export async function exchangeOnce(port: number, request: string): Promise<string> {
  const connection = await Connection.open(port)
  try {
    return await connection.exchange(request)
  } finally {
    connection.close()
  }
}

/** A connection that sends one request after the other. */
export class Connection {
  readonly #socket: Socket
  #chunks = ''
  #answered: ((answer: string) => void) | undefined
  #failed: ((error: Error) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setTimeout(RESPONSE_TIMEOUT_MS, () =>
      this.#failed?.(new Error(`no response within ${RESPONSE_TIMEOUT_MS} ms`)),
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
    this.#chunks += chunk
    if (!isWhole(this.#chunks)) return
    const answer = this.#chunks
    this.#chunks = ''
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
