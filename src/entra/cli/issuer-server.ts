/** Serves the emulated issuer on 127.0.0.1, and keeps its signing keys in a file. */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Clock } from '../clock.ts'
import type { Fault } from '../issuer/faults.ts'
import type { WorkloadIdentity } from '../issuer/identity.ts'
import { Issuer } from '../issuer/issuer.ts'
import { isSigningKey, newSigningKey, type SigningKey } from '../issuer/signing-keys.ts'
import { readDocument } from './files/documents.ts'
import { writeAtomically } from './files/state-file.ts'
import { closeServer, listen } from './listen.ts'
import { UsageError } from './usage-error.ts'

/** Beside the port of `npm start`. */
export const DEFAULT_ISSUER_PORT = 8790

export const DEFAULT_KEY_FILE = '.entra-issuer.json'

export interface IssuerServerOptions {
  /** 0 chooses a free port. */
  readonly port: number
  readonly keyFile: string
  readonly identity: WorkloadIdentity
  readonly faults: ReadonlySet<Fault>
  readonly clock: Clock
  /** Called after each response. */
  readonly onRequest?: (line: string) => void
}

export interface IssuerServer {
  readonly issuer: Issuer
  readonly origin: string
  close(): Promise<void>
}

/** @throws {UsageError} if the port is in use or the key file is invalid */
export async function startIssuer(options: IssuerServerOptions): Promise<IssuerServer> {
  const { keyFile, identity, faults, clock, onRequest = () => undefined } = options
  const keys = [await loadKey(keyFile)] as const
  const server = createServer()
  const inUse = 'choose another one with --issuer-port, or use a running issuer with --issuer'
  const port = await listen(server, options.port, 'The issuer', inUse)
  const origin = `http://127.0.0.1:${port}`
  const issuer = new Issuer({ origin, identity, keys, faults, clock, newId: randomUUID })
  server.on('request', (incoming, outgoing) => {
    void answer(issuer, origin, incoming, outgoing).then(() =>
      onRequest(`${incoming.method} ${incoming.url}: ${outgoing.statusCode}`),
    )
  })
  return { issuer, origin, close: () => closeServer(server) }
}

/** A target caches keys, so a restarted issuer must have the same ones. */
async function loadKey(file: string): Promise<SigningKey> {
  if (existsSync(file)) {
    const { value } = readDocument(file, 'key file of the issuer')
    if (isSigningKey(value)) return value
    throw new UsageError(`"${file}" does not contain a key of the issuer; delete it to create a new one`)
  }
  const key = await newSigningKey()
  writeAtomically(file, `${JSON.stringify(key)}\n`)
  return key
}

/** A token request is much shorter. */
const MAX_BODY_BYTES = 100_000

async function answer(
  issuer: Issuer,
  origin: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  try {
    const body = await readBody(incoming)
    const method = incoming.method ?? 'GET'
    const withBody = method === 'GET' || method === 'HEAD' ? {} : { body }
    const response = await issuer.fetch(new Request(`${origin}${incoming.url}`, { method, ...withBody }))
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    outgoing.end(await response.text())
  } catch (error) {
    outgoing.writeHead(400, { 'content-type': 'text/plain' })
    outgoing.end(error instanceof Error ? error.message : String(error))
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Error(`The body is longer than ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
