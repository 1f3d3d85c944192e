/** Errors of the file system in words. */

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EEXIST: 'it exists already',
  EISDIR: 'it is a folder',
  ENOENT: 'no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of its path is not a folder',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
}

/** Errors of sockets have a `syscall` too, but neither a path nor one of these codes. */
export function isFileError(error: unknown): error is NodeJS.ErrnoException {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return false
  return 'path' in error || Object.hasOwn(REASONS, String(error.code))
}

/** Why a file cannot be used, e.g. `no such file or folder`. */
export function fileReason(error: unknown): string {
  const code = isFileError(error) ? error.code : undefined
  return REASONS[code ?? ''] ?? (error instanceof Error ? error.message : String(error))
}
