/**
 * A process that tries for locks at agreed moments: arguments are a folder and how many; a line on standard input is the
 * moment of the first one, in milliseconds since 1970. Prints which ones it got, and holds them until its input ends.
 */
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { LockFile } from '../../../src/entra/cli/files/lock-file.ts'

const SPACING_MS = 10
const [folder = '', count = '0'] = process.argv.slice(2)

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const got: number[] = []
  for (let index = 0; index < Number(count); index++) {
    // Waiting without sleeping: all processes must try in the same instant.
    const moment = Number(line) + index * SPACING_MS
    while (performance.timeOrigin + performance.now() < moment);
    if (LockFile.acquire(join(folder, `${index}.lock`)) instanceof LockFile) got.push(index)
  }
  process.stdout.write(`${JSON.stringify(got)}\n`)
}
