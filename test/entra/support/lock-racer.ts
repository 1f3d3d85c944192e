/**
 * A process that competes for locks at agreed times. Its arguments are a folder and the number of locks. A line on
 * standard input is the time of the first attempt, in milliseconds since 1970. It prints the locks it acquired and
 * holds them until its input ends.
 */
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { LockFile } from '../../../src/entra/cli/files/lock-file.ts'

const SPACING_MS = 10
const [folder = '', count = '0'] = process.argv.slice(2)

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const acquired: number[] = []
  for (let index = 0; index < Number(count); index++) {
    // Busy waiting, because all processes must try at the same instant.
    const moment = Number(line) + index * SPACING_MS
    while (performance.timeOrigin + performance.now() < moment);
    if (LockFile.acquire(join(folder, `${index}.lock`)) instanceof LockFile) acquired.push(index)
  }
  process.stdout.write(`${JSON.stringify(acquired)}\n`)
}
