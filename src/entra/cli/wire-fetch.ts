/**
 * A fetch over node:http and node:https that sends only the given headers: like Entra, neither User-Agent nor Accept,
 * which Node's own fetch always adds. Supports only what the emulator uses: a text body, `signal`, no redirects.
 */
import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { rootCertificates } from 'node:tls'
import type { Fetch } from '../protocol/fetch.ts'
import { inClearWords, MAX_RESPONSE_BYTES, tooLong } from './network-errors.ts'
import { needsProxy, proxyFetch } from './proxy-fetch.ts'

const KEEP_ALIVE = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY }

export interface WireOptions {
  /** Certificates of authorities to trust, besides those of Node.js, in PEM. */
  readonly ca?: string
}

/** Uses the proxy of the environment, if there is one for the URL. An error says in clear words what is wrong. */
export function wireFetch({ ca }: WireOptions = {}): Fetch {
  const trusted = ca === undefined ? {} : { ca: [...rootCertificates, ca] }
  const direct = directFetch(trusted)
  const proxied = proxyFetch(trusted)
  return async (url, init) => {
    try {
      return await (needsProxy(url) ? proxied(url, init) : direct(url, init))
    } catch (error) {
      throw inClearWords(error)
    }
  }
}

/** Keeps connections open for reuse; they do not keep the process alive. */
function directFetch(trusted: { readonly ca?: readonly string[] }): Fetch {
  const http = new HttpAgent(KEEP_ALIVE)
  const https = new HttpsAgent({ ...KEEP_ALIVE, ...(trusted.ca && { ca: [...trusted.ca] }) })
  return async (url, { method, headers, body, signal }) => {
    const secure = url.startsWith('https:')
    const bytes = body === undefined ? undefined : Buffer.from(body)
    const length = bytes === undefined ? {} : { 'Content-Length': String(bytes.length) }
    const options = { method, headers: { ...headers, ...length }, agent: secure ? https : http, signal }
    const message = await send(secure ? httpsRequest : httpRequest, url, options, bytes)
    const text = await readText(message)
    return {
      status: message.statusCode ?? 0,
      headers: { get: (name) => header(message, name) },
      text: async () => text,
    }
  }
}

function header({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name.toLowerCase()]
  return Array.isArray(value) ? value.join(', ') : (value ?? null)
}

/**
 * A kept-alive connection may close just as it is reused. The request is then repeated, unless it creates a resource.
 */
function send(
  request: typeof httpRequest,
  url: string,
  options: RequestOptions,
  body: Buffer | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, resolve)
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const stale = outgoing.reusedSocket && error.code === 'ECONNRESET' && options.method !== 'POST'
      if (stale) send(request, url, options, body).then(resolve, reject)
      else reject(error)
    })
    outgoing.end(body)
  })
}

function readText(message: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    message.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes <= MAX_RESPONSE_BYTES) return
      reject(tooLong())
      message.destroy()
    })
    message.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    message.on('error', reject)
    message.on('aborted', () => reject(new Error('the connection closed before the response was complete')))
  })
}
