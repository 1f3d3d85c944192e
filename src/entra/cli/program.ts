/** How the emulator is called. The package and the binary define SCIM_WORKER_PACKAGED when they are built. */
declare const SCIM_WORKER_PACKAGED: true | undefined

export const PROGRAM = typeof SCIM_WORKER_PACKAGED === 'undefined' ? 'npm run entra --' : 'scim-worker'
