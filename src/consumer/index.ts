/** What the package exports for a consumer of the event feed. */
export { type ClientOptions, DirectoryClient, Refused } from './directory-client.ts'
export { type CopiedResource, DirectoryCopy, type DirectoryEvent, type Kind } from './directory-copy.ts'
export { type DirectoryChange, type FollowOptions, followDirectory } from './follow.ts'
