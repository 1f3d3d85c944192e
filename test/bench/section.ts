/**
 * A section of the benchmark as a process: what it says is the exit code, and all that it started ends with it.
 */
import { cleanUp } from './peers/peer.ts'

/** @param main returns the exit code: 1 when an answer was wrong; what it throws is a mistake of the caller, 2 */
export async function runSection(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 2
  } finally {
    await cleanUp()
  }
}
