/**
 * A proxy on 127.0.0.1 that forwards requests to a Tenant URL and reports each exchange. Answers are passed on while
 * they arrive, whatever their size.
 */
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { TenantUrl } from '../protocol/tenant-url.ts'
import { requestUrl } from '../protocol/tenant-url.ts'
import type { Exchange } from '../recording/har.ts'
import { MAX_KEPT_BYTES } from '../recording/recorder.ts'
import { closeServer, listen } from './listen.ts'

export const DEFAULT_PROXY_PORT = 8791

export interface ProxyOptions {
  /** 0 chooses a free port. */
  readonly port: number
  readonly tenantUrl: TenantUrl
  readonly onExchange: (exchange: Exchange) => void
}

export interface RecordingProxy {
  /** The Tenant URL of the proxy, which takes the place of the target's. */
  readonly tenantUrl: string
  close(): Promise<void>
}

/** The largest body of a request that is forwarded. */
const MAX_REQUEST_BYTES = 20_000_000

/** Headers of one connection (RFC 9110 §7.6.1). Without Accept-Encoding, bodies arrive as they are recorded. */
const NOT_FORWARDED = ['host', 'connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'accept-encoding']

/** @throws {UsageError} if the port is in use */
export async function startRecordingProxy(options: ProxyOptions): Promise<RecordingProxy> {
  const { pathname } = new URL(options.tenantUrl.base)
  const base = pathname.replace(/\/+$/, '')
  const server = createServer((incoming, outgoing) => {
    void answer(options, base, incoming, outgoing)
  })
  const port = await listen(server, options.port, 'The proxy', 'choose another one with --port')
  return { tenantUrl: `http://127.0.0.1:${port}${base}`, close: () => closeServer(server) }
}

async function answer(
  options: ProxyOptions,
  base: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const path = incoming.url?.startsWith(`${base}/`) ? incoming.url.slice(base.length) : undefined
  if (path === undefined) return refuse(outgoing, 404, `Requests must begin with ${base}/`)
  const body = await readBody(incoming)
  if (body === undefined) return refuse(outgoing, 413, `The body is longer than ${MAX_REQUEST_BYTES} bytes`)
  const startedAt = Date.now()
  const received = await forward(requestUrl(options.tenantUrl, path), { incoming, outgoing, body })
  options.onExchange({
    startedAt: new Date(startedAt).toISOString(),
    durationMs: Date.now() - startedAt,
    method: incoming.method ?? 'GET',
    url: `${options.tenantUrl.base}${path}`,
    requestHeaders: plainHeaders(incoming),
    ...(body.length === 0 ? {} : { requestBody: body.toString('utf8') }),
    ...received,
  })
}

type Received = Pick<Exchange, 'status' | 'responseHeaders' | 'responseBody' | 'comment'>

interface Forwarded {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly body: Buffer
}

const agent = new Agent({ keepAlive: true })

/** Sends the request to the target, and its answer to the client. */
function forward(url: string, { incoming, outgoing, body }: Forwarded): Promise<Received> {
  const secure = url.startsWith('https:')
  const headers = {
    ...forwardedHeaders(incoming),
    ...(body.length === 0 ? {} : { 'content-length': body.length }),
  }
  const options = { method: incoming.method, headers, ...(secure ? {} : { agent }) }
  return new Promise((resolve) => {
    const request = (secure ? httpsRequest : httpRequest)(url, options, (message) => {
      outgoing.writeHead(message.statusCode ?? 502, forwardedHeaders(message))
      resolve(passOn(message, outgoing))
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (outgoing.headersSent) outgoing.destroy()
      else refuse(outgoing, 502, `The target did not answer: ${error.message}`)
      resolve({ status: 0, responseHeaders: {}, comment: `no answer: ${error.code ?? error.name}` })
    })
    request.end(body)
  })
}

/** Keeps what it passes on, up to a limit. */
function passOn(message: IncomingMessage, outgoing: ServerResponse): Promise<Received> {
  const kept: Buffer[] = []
  let size = 0
  const responseHeaders = plainHeaders(message)
  message.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= MAX_KEPT_BYTES) kept.push(chunk)
    if (!outgoing.write(chunk)) {
      message.pause()
      outgoing.once('drain', () => message.resume())
    }
  })
  return new Promise((resolve) => {
    outgoing.on('close', () => message.destroy())
    message.on('end', () => {
      outgoing.end()
      const answered = { status: message.statusCode ?? 0, responseHeaders }
      const comment = `an answer of ${size} bytes was not kept`
      if (size > MAX_KEPT_BYTES) resolve({ ...answered, comment })
      else
        resolve({
          ...answered,
          ...(size === 0 ? {} : { responseBody: Buffer.concat(kept).toString('utf8') }),
        })
    })
    message.on('close', () => {
      if (message.complete) return
      outgoing.destroy()
      resolve({
        status: 0,
        responseHeaders,
        comment: `the answer ended after ${size} bytes, before it was complete`,
      })
    })
    message.on('error', () => outgoing.destroy())
  })
}

async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_REQUEST_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function plainHeaders({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

function forwardedHeaders({ headers }: IncomingMessage): Record<string, string | string[]> {
  const kept = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || NOT_FORWARDED.includes(name) ? [] : [[name, value] as const],
  )
  return Object.fromEntries(kept)
}

function refuse(outgoing: ServerResponse, status: number, detail: string): void {
  const body = { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: String(status), detail }
  outgoing.writeHead(status, { 'content-type': 'application/scim+json', connection: 'close' })
  outgoing.end(JSON.stringify(body))
}
