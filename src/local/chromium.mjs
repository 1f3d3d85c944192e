/**
 * Finds Chromium on this machine. It is not a dependency because it is larger than all dependencies together.
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const FIXED = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']

/**
 * The path of a browser, from the variable CHROMIUM_PATH or the usual locations.
 *
 * @returns {string | undefined}
 */
export function findChromium() {
  const { CHROMIUM_PATH, PATH = '' } = process.env
  if (CHROMIUM_PATH) return existsSync(CHROMIUM_PATH) ? CHROMIUM_PATH : undefined
  const folders = PATH.split(delimiter)
  const candidates = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
  return [...candidates, ...FIXED].find((path) => existsSync(path))
}
