/**
 * Files that hold a secret, for `npm start` and for the self-hosted server. Depends on nothing but Node.js 20.
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
 * Adds a line to a text file that only its owner may read from then on, whoever might before. Until the new file is on
 * the disk the present one stays as it is. A link is replaced by a file.
 *
 * @param {string} file made when there is none
 * @param {string} line without the line end
 * @throws {Error} of the file system
 */
export function addPrivateLine(file, line) {
  const present = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const gap = present === '' || present.endsWith('\n') ? '' : '\n'
  const unfinished = `${file}.${process.pid}.unfinished`
  rmSync(unfinished, { force: true })
  try {
    writeToDisk(unfinished, `${present}${gap}${line}\n`)
    renameSync(unfinished, file)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  }
}

/**
 * @param {string} file that does not exist
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
