/** Ends a command before its time: by Ctrl-C, by SIGTERM, or because nobody reads its output, as after `| head`. */

export interface Interruption {
  readonly signal: AbortSignal
  /** Nothing may be written to standard output any more. */
  readonly isOutputClosed: boolean
  /** Stops listening. */
  end(): void
}

export interface InterruptionOptions {
  /** Called at the first signal. */
  readonly onFirst?: () => void
  /** Called at the second one, which then ends the process at once. */
  readonly onSecond?: () => void
  /** Standard output, if the command also ends when nobody reads it. */
  readonly output?: NodeJS.WritableStream
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
const EXIT_CODE = 130
/** One Ctrl-C can arrive twice: from the terminal, and forwarded by npm. */
const SAME_SIGNAL_MS = 1_000

export function interruption({ onFirst, onSecond, output }: InterruptionOptions = {}): Interruption {
  const stop = new AbortController()
  let firstAt: number | undefined
  let isOutputClosed = false
  const onSignal = () => {
    if (firstAt !== undefined) {
      if (performance.now() - firstAt < SAME_SIGNAL_MS) return
      onSecond?.()
      process.exit(EXIT_CODE)
    }
    firstAt = performance.now()
    stop.abort()
    onFirst?.()
  }
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    isOutputClosed = true
    stop.abort()
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  output?.on('error', onError)
  return {
    signal: stop.signal,
    get isOutputClosed() {
      return isOutputClosed
    },
    end: () => {
      for (const name of SIGNALS) process.off(name, onSignal)
      // A closed output reports an error after the last write as well.
      if (!isOutputClosed) output?.off('error', onError)
    },
  }
}
