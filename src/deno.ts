/**
 * The Deno entry. `deno serve` uses its default export. `deno run … serve` makes it open its port itself, which TLS
 * requires. `deno run … backup FILE` copies the databases.
 */
import process from 'node:process'
import { fail } from './self-hosted/fail.ts'
import {
  announce,
  type Prepared,
  portError,
  prepare,
  runCommand,
  type Started,
  start,
} from './self-hosted/main.ts'

/** The part of Deno that we use: https://docs.deno.com/api/deno/~/Deno.serve */
interface DenoRuntime {
  serve(
    options: { hostname: string; port: number; cert?: string; key?: string; onListen: (at: NetAddr) => void },
    handler: Handler,
  ): { readonly addr: NetAddr }
}

interface NetAddr {
  readonly hostname: string
  readonly port: number
}

interface ServeHandlerInfo {
  readonly remoteAddr: NetAddr
  /** Resolves when the answer was sent; rejects when the client is gone. */
  readonly completed: Promise<void>
}

type Handler = (request: Request, info: ServeHandlerInfo) => Promise<Response>

declare const Deno: DenoRuntime
declare function addEventListener(
  type: 'unhandledrejection',
  listener: (event: { reason: unknown; preventDefault(): void }) => void,
): void

const command = await runCommand(process.argv.slice(2))
const prepared = prepare()
const handler: Handler = async (request, { remoteAddr, completed }) => {
  const response = await started.service.fetch({ request, address: remoteAddr.hostname }, completed)
  if (isUnfinished(request, response)) response.headers.set('Connection', 'close')
  return response
}

const started = command === 'serve' ? serve(prepared) : start(prepared)
if (command !== 'serve') endWhenPortIsTaken()

export default {
  fetch: handler,
  onListen: ({ hostname, port }: NetAddr) => void announce(started, 'http', hostname, port),
}

/** Whether more of the body may come: the connection is closed then, and the answer announces it (RFC 9112 §9.6). */
function isUnfinished(request: Request, { status }: Response): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return false
  return status === 408 || status === 413 || (!request.bodyUsed && request.body !== null)
}

/** Opens the port before the database. No request is handled in between, because nothing here is asynchronous. */
function serve(prepared: Prepared): Started {
  const { tls, settings } = prepared
  const { host: hostname, port } = settings.listen
  const { addr } = open({ hostname, port, ...tls, onListen: () => undefined })
  const started = start(prepared)
  announce(started, tls === undefined ? 'http' : 'https', addr.hostname, addr.port)
  return started
}

function open(options: Parameters<DenoRuntime['serve']>[0]) {
  try {
    return Deno.serve(options, handler)
  } catch (error) {
    return fail(portError(error, `port ${options.port} of ${options.hostname}`))
  }
}

/** `deno serve` opens its port after this module and would report a failure in many lines. */
function endWhenPortIsTaken(): void {
  addEventListener('unhandledrejection', (event) => {
    const reason = portError(event.reason, 'the port of `deno serve --port`')
    if (reason === event.reason) return
    event.preventDefault()
    fail(reason)
  })
}
