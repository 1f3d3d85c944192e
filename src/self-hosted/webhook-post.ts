/**
 * Sends the requests of webhooks through `node:https`, which tells the addresses of a name before it connects, as `fetch`
 * does not. Redirects are not followed.
 */
import type { LookupAddress, LookupOptions } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import http from 'node:http'
import https from 'node:https'
import { NoAnswer, type PostWebhook, timedOut, type WebhookAnswer } from '../provider/webhooks/post.ts'
import { MAX_WEBHOOK_ANSWER_BYTES, WEBHOOK_TIMEOUT_SECONDS } from '../scim/limits.ts'
import { isLoopbackAddress, isPublicAddress } from './public-address.ts'

/** How long an unused connection stays open: consecutive events use the same one. */
const IDLE_MS = 5_000

/** Responses with a status from 100 to 199 before the answer. Endless ones would take the time of the whole process. */
const MAX_INFORMATIONAL = 10

/** The code of the error for an address that is not allowed. */
const NOT_PUBLIC = 'ENOTPUBLIC'

/** Asks the servers of the machine, whose addresses may change while the process runs. */
type NewResolver = () => Resolver

/** Two servers or two attempts fit into the time of a delivery: the second attempt may wait for twice as long. */
const systemResolver: NewResolver = () => new Resolver({ timeout: 2_000, tries: 2 })

/** @param allowLoopback also allows this machine, for development */
export function webhookPost(allowLoopback: boolean, newResolver: NewResolver = systemResolver): PostWebhook {
  const options = { keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' } as const
  const agents = { 'https:': new https.Agent(options), 'http:': new http.Agent(options) }
  const resolve = publicLookup(allowLoopback, newResolver)
  return ({ url, headers, body }) =>
    new Promise((done, failed) => {
      const isPlain = new URL(url).protocol === 'http:'
      const { request: open } = isPlain ? http : https
      const request = open(url, {
        method: 'POST',
        agent: agents[isPlain ? 'http:' : 'https:'],
        lookup: resolve,
        headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
      })
      let answer: WebhookAnswer | undefined
      // Once the status is known, nothing else of the answer matters.
      const end = (problem: NoAnswer) => {
        clearTimeout(timer)
        if (answer === undefined) failed(problem)
        else done(answer)
        request.destroy()
      }
      // Of the whole exchange: the time-outs of sockets begin again with each byte.
      const timer = setTimeout(() => end(timedOut()), WEBHOOK_TIMEOUT_SECONDS * 1000)
      let informational = 0
      request.on('information', () => {
        informational += 1
        if (informational > MAX_INFORMATIONAL) end(new NoAnswer('too many informational responses'))
      })
      request.on('error', (cause: NodeJS.ErrnoException) => end(new NoAnswer(problemOf(cause), { cause })))
      request.once('response', (response) => {
        const { statusCode = 0, headers } = response
        const known = { status: statusCode, retryAfter: headers['retry-after'] ?? null }
        answer = known
        discard(response, () => {
          clearTimeout(timer)
          done(known)
        })
      })
      request.end(body)
    })
}

/** Reads a small body to its end, so that the connection can be used again, and closes the connection of a large one. */
function discard(response: http.IncomingMessage, end: () => void): void {
  let left = MAX_WEBHOOK_ANSWER_BYTES
  response.on('data', (part: Buffer) => {
    left -= part.length
    if (left < 0) response.destroy()
  })
  response.on('error', end)
  response.on('close', end)
}

/** The code of a system error, such as ECONNREFUSED, names neither the host nor its addresses, as the message does. */
function problemOf({ code }: NodeJS.ErrnoException): string {
  if (code === NOT_PUBLIC) return 'the host name resolves to an address that is not public'
  return code === undefined ? 'the connection failed' : `the connection failed: ${code}`
}

type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void

/** Resolves names to public addresses. The connection goes to what was checked, so a name cannot change in between. */
function publicLookup(allowLoopback: boolean, newResolver: NewResolver) {
  const isAllowed = (address: string) =>
    isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address))
  return (host: string, options: LookupOptions, callback: LookupCallback): void => {
    const found = ([first, ...more]: readonly [LookupAddress, ...LookupAddress[]]) => {
      const addresses = [first, ...more]
      if (!addresses.every(({ address }) => isAllowed(address))) {
        const refusal: NodeJS.ErrnoException = new Error('an address is not public')
        refusal.code = NOT_PUBLIC
        callback(refusal, [])
      } else if (options.all) callback(null, addresses)
      else callback(null, first.address, first.family)
    }
    addressesOf(host, newResolver).then(found, (error) => callback(error, []))
  }
}

/** RFC 6761 §6.3: this name is not looked up. */
const LOCALHOST = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
] as const

/**
 * The addresses of a name. Not by `lookup` of `node:dns`, of which Node.js runs two at a time: names whose servers do not
 * answer would delay all other lookups of the process.
 */
async function addressesOf(
  host: string,
  newResolver: NewResolver,
): Promise<readonly [LookupAddress, ...LookupAddress[]]> {
  if (host === 'localhost') return LOCALHOST
  const resolver = newResolver()
  const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  const [first, ...more] = [...familyOf(four, 4), ...familyOf(six, 6)]
  if (first !== undefined) return [first, ...more]
  throw four.status === 'rejected' ? four.reason : new Error('the name has no address')
}

function familyOf(result: PromiseSettledResult<readonly string[]>, family: 4 | 6): readonly LookupAddress[] {
  return result.status === 'rejected' ? [] : result.value.map((address) => ({ address, family }))
}
