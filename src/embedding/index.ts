/** What the package exports: the app for a runtime of one's own, and the whole directory on a folder. */
export { type AppOptions, createApp } from '../app.ts'
export type { HttpEnv, Runtime, Settings } from '../runtime.ts'
export { type Directory, type DirectoryOptions, openDirectory } from './directory.ts'
