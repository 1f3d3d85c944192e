/**
 * The floor: what the runtime and SQLite need for one statement behind HTTP, without SCIM. Runs on Deno and
 * on Node.js: `deno serve floor.mjs` and `node floor.mjs`; FLOOR_FILE names its database.
 */
import { createServer } from 'node:http'
import process from 'node:process'
import { DatabaseSync } from 'node:sqlite'

const database = new DatabaseSync(process.env.FLOOR_FILE ?? ':memory:')
database.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
  CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, data TEXT NOT NULL);
  INSERT INTO t (data) VALUES ('${JSON.stringify({ userName: 'x'.repeat(300) })}')`)
const read = database.prepare('SELECT data FROM t WHERE id = ?1')
const write = database.prepare('INSERT INTO t (data) VALUES (?1) RETURNING id')

/** @param {string} body */
const answerWrite = (body) => JSON.stringify(write.get(body))
const answerRead = () => String(read.get(1)?.data)

export default {
  /** @param {Request} request */
  async fetch(request) {
    const text = request.method === 'POST' ? answerWrite(await request.text()) : answerRead()
    return new Response(text, { headers: { 'Content-Type': 'application/json' } })
  },
}

if (!('Deno' in globalThis)) {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const text = request.method === 'POST' ? answerWrite(body) : answerRead()
      response.writeHead(200, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(text),
      })
      response.end(text)
    })
  })
  server.listen(Number(process.env.PORT), '127.0.0.1')
}
