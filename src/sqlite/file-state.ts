/**
 * What the file system tells about a database file: sizes, the last checkpoint, and how far Litestream has copied. No
 * statement runs.
 */
import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Times in milliseconds since 1970. */
export interface FileState {
  readonly bytes: number
  readonly walBytes: number
  /** When the last checkpoint wrote to the file: in WAL mode, nothing else does. */
  readonly checkpointedAt: number
  /** Undefined if Litestream does not replicate the file, or keeps its notes where this process may not read them. */
  readonly litestream: LitestreamState | undefined
}

export interface LitestreamState {
  /** When Litestream last copied from the WAL. It sends the copy to the replica next, which cannot be seen here. */
  readonly copiedAt: number
  /** From the last copy to the last write; 0 if everything is copied. More than a few seconds means that it does not copy. */
  readonly behindMs: number
}

/** @throws {Error} of the file system when the file cannot be read */
export function fileState(path: string): FileState {
  const { size, mtimeMs } = statSync(path)
  const wal = statSync(`${path}-wal`, { throwIfNoEntry: false })
  return {
    bytes: size,
    walBytes: wal?.size ?? 0,
    checkpointedAt: Math.round(mtimeMs),
    litestream: litestreamState(path, wal?.mtimeMs ?? 0),
  }
}

/** Litestream keeps its copies in a hidden folder beside the file, named by their transactions. */
function litestreamState(path: string, writtenAt: number): LitestreamState | undefined {
  const folder = join(dirname(path), `.${basename(path)}-litestream`, 'ltx', '0')
  try {
    const newest = readdirSync(folder)
      .filter((name) => name.endsWith('.ltx'))
      .sort()
      .at(-1)
    if (newest === undefined) return undefined
    const { mtimeMs } = statSync(join(folder, newest))
    return { copiedAt: Math.round(mtimeMs), behindMs: Math.max(0, Math.round(writtenAt - mtimeMs)) }
  } catch {
    return undefined
  }
}
