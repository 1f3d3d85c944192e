/**
 * Files that contain a secret, for `npm start` and the self-hosted server. Requires only Node.js 20.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import process from 'node:process'

/**
 * Adds a line to a text file and makes the file readable by its owner only. The file is replaced atomically, and a
 * symbolic link is replaced by a file.
 *
 * @param {string} file created if it does not exist
 * @param {string} line without the line end
 * @throws {Error} of the file system
 */
export function addPrivateLine(file, line) {
  const present = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const gap = present === '' || present.endsWith('\n') ? '' : '\n'
  const temporary = `${file}.${process.pid}.unfinished`
  rmSync(temporary, { force: true })
  try {
    writeToDisk(temporary, `${present}${gap}${line}\n`)
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/**
 * @param {string} file must not exist
 * @param {string} text
 */
function writeToDisk(file, text) {
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
