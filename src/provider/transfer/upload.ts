/**
 * Stores the file of an upload in chunks (storage/transfer/chunks.ts), without looking into its lines. The job of the import
 * does that.
 */
import { MAX_STORED_FILE_BYTES } from '../../scim/limits.ts'
import { type Database, MAX_ROW_BYTES } from '../../storage/database/database.ts'
import {
  appendChunks,
  ChunkCutter,
  type ChunkLines,
  type StoredChunk,
  storedChunk,
  type TransferFile,
} from '../../storage/transfer/chunks.ts'
import { pause } from '../../storage/transfer/pause.ts'
import { type Body, isBlank, linesOf } from './directory-lines.ts'
import { TransferRefused, tooLarge } from './refused.ts'

/** Chunks that are stored together, and bytes of their data: about one statement for each compressed megabyte. */
const MAX_TOGETHER = 16
const MAX_BYTES_TOGETHER = 1_000_000
/** The data of a chunk leaves room for the other columns of its row. */
const MAX_DATA_BYTES = MAX_ROW_BYTES - 1_000

/**
 * @param now milliseconds since 1970
 * @returns the number of lines
 * @throws {TransferRefused} the file is incomplete, too large, or cancelled; the stored chunks stay
 */
export async function storeUpload(
  db: Database,
  file: TransferFile,
  body: Body,
  now: () => number,
): Promise<number> {
  const upload = new Upload(db, file, now)
  const cutter = new ChunkCutter()
  let last = ''
  for await (const line of linesOf(body)) {
    if (!isBlank(line)) last = line
    const chunk = cutter.add(line)
    if (chunk !== undefined) await upload.add(chunk)
  }
  if (!isEndRecord(last)) {
    throw new TransferRefused(
      400,
      'the file is incomplete: it must end with the end record, {"kind":"end",…}',
    )
  }
  await upload.add(cutter.rest())
  await upload.store()
  return upload.lines
}

class Upload {
  readonly #db: Database
  readonly #file: TransferFile
  readonly #now: () => number
  /** Chunks that are not stored yet. */
  #chunks: StoredChunk[] = []
  #number = 0
  #bytes = 0
  #bytesTogether = 0
  lines = 0

  constructor(db: Database, file: TransferFile, now: () => number) {
    this.#db = db
    this.#file = file
    this.#now = now
  }

  async add(chunk: ChunkLines): Promise<void> {
    const stored = await storedChunk(
      { number: ++this.#number, firstLine: this.lines + 1, progress: null },
      chunk,
    )
    // Deno looks for new requests only now and then while one promise follows another.
    await pause()
    // A chunk of several lines is much shorter.
    if (stored.data.length > MAX_DATA_BYTES) {
      throw new TransferRefused(413, `line ${stored.firstLine} is too long, even compressed`)
    }
    this.lines += chunk.lines.length
    this.#chunks.push(stored)
    this.#bytes += stored.data.length
    this.#bytesTogether += stored.data.length
    if (this.#bytes > MAX_STORED_FILE_BYTES) throw tooLarge()
    if (this.#chunks.length >= MAX_TOGETHER || this.#bytesTogether >= MAX_BYTES_TOGETHER) await this.store()
  }

  async store(): Promise<void> {
    if (this.#chunks.length === 0) return
    const options = { states: ['ready'], now: this.#now() } as const
    if (!(await appendChunks(this.#db, this.#file, this.#chunks, options))) {
      throw new TransferRefused(409, 'the import was cancelled, or the tenant was changed')
    }
    this.#chunks = []
    this.#bytesTogether = 0
  }
}

function isEndRecord(line: string): boolean {
  try {
    return JSON.parse(line)?.kind === 'end'
  } catch {
    return false
  }
}
