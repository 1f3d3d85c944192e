/** Defined when the package and the binary are built. */
declare const SCIM_WORKER_PACKAGED: true | undefined

/** Whether this is the package or the binary, and not a clone of the repository. */
export const IS_PACKAGED = typeof SCIM_WORKER_PACKAGED !== 'undefined'

/** How a command is called. */
export function callOf(command: string): string {
  return IS_PACKAGED ? `scim-worker ${command}` : `npm run ${command} --`
}
