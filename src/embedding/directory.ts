/** A directory in a folder of this machine, for a program that has its own server. */
import { builtMigrations } from '../self-hosted/built-migrations.ts'
import { startService } from '../self-hosted/service.ts'
import { readSettings } from '../self-hosted/settings.ts'

export interface DirectoryOptions {
  /** The folder of the database, which must exist. Only one process may have it open. */
  readonly folder: string
  /** Settings by name, such as `{ PUBLIC_URL: 'https://scim.example.com' }`. They take precedence over the environment. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface Directory {
  /**
   * Answers a request to one of the paths of scim-worker, such as /scim/v2, /oauth/token, /events and /admin.
   *
   * @param address of the client, by which failed access is limited
   */
  fetch(request: Request, address: string): Promise<Response>
  /** Finishes the requests in progress and closes the files. */
  stop(): Promise<void>
}

/**
 * Opens the directory, and applies its migrations. A missing ADMIN_TOKEN is created in settings.env of the folder.
 *
 * @throws {Error} whose message is one line, if the folder, a file or a setting cannot be used
 */
export function openDirectory({ folder, settings = {} }: DirectoryOptions): Directory {
  const service = startService(readSettings({ ...settings, DATA_FOLDER: folder }), builtMigrations())
  return { fetch: (request, address) => service.fetch({ request, address }), stop: () => service.stop() }
}
