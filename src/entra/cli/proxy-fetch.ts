/**
 * A fetch through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name. Node.js 20 has none of its own: its agents read
 * these variables from version 24 on. Like wire-fetch.ts, it sends only the given headers.
 */
import type { EnvHttpProxyAgent } from 'undici'
import type { Fetch } from '../protocol/fetch.ts'
import { MAX_RESPONSE_BYTES, tooLong } from './network-errors.ts'

const VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']

/** The machine itself is reached without a proxy. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/

export function needsProxy(url: string): boolean {
  return VARIABLES.some((name) => (process.env[name] ?? '') !== '') && !LOOPBACK.test(new URL(url).hostname)
}

/** Reads the variables at the first request. Only then is undici loaded, which takes longer than most commands. */
export function proxyFetch({ ca }: { readonly ca?: readonly string[] }): Fetch {
  const tls = ca === undefined ? {} : { ca: [...ca] }
  let agent: EnvHttpProxyAgent | undefined
  return async (url, { method, headers, body, signal }) => {
    const undici = await import('undici')
    agent ??= new undici.EnvHttpProxyAgent({ requestTls: tls, proxyTls: tls, connect: tls })
    const answer = await undici.request(url, {
      ...{ method: method as 'GET', headers, signal, dispatcher: agent },
      ...(body === undefined ? {} : { body }),
    })
    const text = await readText(answer.body)
    return {
      status: answer.statusCode,
      headers: { get: (name) => header(answer.headers[name.toLowerCase()]) },
      text: async () => text,
    }
  }
}

function header(value: string | string[] | undefined): string | null {
  return Array.isArray(value) ? value.join(', ') : (value ?? null)
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    // Leaving the loop closes the connection.
    if (bytes > MAX_RESPONSE_BYTES) throw tooLong()
  }
  return Buffer.concat(chunks).toString('utf8')
}
