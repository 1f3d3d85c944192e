/**
 * The floor of Deno and Node.js: the cost of the runtime and SQLite for one statement behind HTTP, without SCIM, on the
 * same database file as the server. `deno serve` runs the default export. FLOOR_FILE names the file. `GET /?id=` reads
 * a user by its key, `POST /` writes a row and commits it to disk.
 */
import { createServer } from 'node:http'
import process from 'node:process'
import { DatabaseSync } from 'node:sqlite'

const database = new DatabaseSync(process.env.FLOOR_FILE ?? ':memory:')
database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL')
const read = database.prepare("SELECT data FROM users WHERE tenant_id = 'default' AND id = ?1")
const write = database.prepare('INSERT INTO floor (data) VALUES (?1) RETURNING id')

/** @param {string} body */
const answerWrite = (body) => JSON.stringify(write.get(body))
/** @param {string} url */
const answerRead = (url) => String(read.get(url.slice(url.indexOf('=') + 1))?.data)

export default {
  /** @param {Request} request */
  async fetch(request) {
    const text = request.method === 'POST' ? answerWrite(await request.text()) : answerRead(request.url)
    return new Response(text, { headers: { 'Content-Type': 'application/json' } })
  },
}

if (!('Deno' in globalThis)) {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const text = request.method === 'POST' ? answerWrite(body) : answerRead(request.url ?? '')
      response.writeHead(200, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(text),
      })
      response.end(text)
    })
  })
  server.listen(Number(process.env.PORT), '127.0.0.1')
}
