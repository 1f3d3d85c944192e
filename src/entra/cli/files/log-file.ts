/**
 * The provisioning log of a job, stored as JSON lines beside the state file. Entries are written in blocks and read
 * line by line, so memory use does not depend on the size of the log.
 */
import { appendFileSync, createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { LogEntry } from '../../engine/provisioning-log.ts'
import { visible } from '../../visible-text.ts'
import { UsageError } from '../usage-error.ts'
import { fileReason, isFileError } from './file-error.ts'

/** Entries are buffered up to this size, or until `flush`. */
const BLOCK_CHARACTERS = 64 * 1024

export class LogFile {
  readonly file: string
  #block: string[] = []
  #characters = 0

  constructor(stateFile: string) {
    this.file = `${stateFile}.log`
  }

  append(entry: LogEntry): void {
    // JSON allows some control characters in strings; they are escaped because people read the file in a terminal.
    const line = `${visible(JSON.stringify(entry))}\n`
    this.#block.push(line)
    this.#characters += line.length
    if (this.#characters >= BLOCK_CHARACTERS) this.flush()
  }

  flush(): void {
    if (this.#block.length === 0) return
    appendFileSync(this.file, this.#block.join(''), { mode: 0o600 })
    this.#block = []
    this.#characters = 0
  }

  /**
   * The entries, oldest first. Skips an incomplete last line, which a killed run may leave.
   * @throws {UsageError} if the file cannot be read
   */
  async *read(): AsyncGenerator<LogEntry> {
    if (!existsSync(this.file)) return
    try {
      yield* this.#lines()
    } catch (error) {
      if (!isFileError(error)) throw error
      throw new UsageError(`Cannot read the log "${this.file}": ${fileReason(error)}`)
    }
  }

  async *#lines(): AsyncGenerator<LogEntry> {
    for await (const line of createInterface({
      input: createReadStream(this.file, 'utf8'),
      crlfDelay: Infinity,
    })) {
      if (line.endsWith('}')) yield JSON.parse(line) as LogEntry
    }
  }
}
