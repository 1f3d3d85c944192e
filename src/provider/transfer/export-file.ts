/** The file that the job of an export writes: how far it is, and its bytes. */
import type { Database } from '../../storage/database/database.ts'
import { bytesOfChunk, readChunksAfter, type TransferFile } from '../../storage/transfer/chunks.ts'
import { pause } from '../../storage/transfer/pause.ts'
import type { ExportProgress } from './export-lines.ts'

/** How far a file is. Some chunks of it have this as JSON, and the last one always has. */
export interface FileProgress {
  /** Null when the file is complete. */
  readonly export: ExportProgress | null
  readonly lines: number
  /** Bytes in the database. */
  readonly bytes: number
}

/**
 * Opens a file whose export is done.
 *
 * @returns its bytes, which are read on demand and end with an error if the file is deleted meanwhile; undefined if it is
 *   deleted already
 */
export async function openExportFile(
  db: Database,
  file: TransferFile,
): Promise<AsyncGenerator<Uint8Array> | undefined> {
  const first = await readChunksAfter(db, file, 0)
  return first[0]?.number === 1 ? bytesOf(db, file, first) : undefined
}

async function* bytesOf(
  db: Database,
  file: TransferFile,
  first: Awaited<ReturnType<typeof readChunksAfter>>,
): AsyncGenerator<Uint8Array> {
  let number = 0
  for (let chunks = first; chunks.length > 0; chunks = await readChunksAfter(db, file, number)) {
    for (const chunk of chunks) {
      if (chunk.number !== ++number) throw deleted(file)
      yield await bytesOfChunk(chunk)
      if (chunk.progress !== null && (JSON.parse(chunk.progress) as FileProgress).export === null) return
      // In one process with requests, others run between two chunks.
      await pause()
    }
  }
  throw deleted(file)
}

function deleted({ jobId }: TransferFile): Error {
  return new Error(`the file of the export ${jobId} was deleted while it was sent`)
}
