/** Waits for Ctrl-C, for commands that serve until then. */

/** One Ctrl-C can arrive twice: from the terminal, and forwarded by npm. The handlers stay, so that the second is ignored. */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGINT', () => resolve())
    process.on('SIGTERM', () => resolve())
  })
}
