/** The header of a response that is saved as a file. */

/** The value of Content-Disposition (RFC 6266). The name has ids of tenants, in which SQL can store characters of any kind. */
export function attachment(fileName: string): string {
  return `attachment; filename="${fileName.replace(/[^\w.-]/g, '_')}"`
}
