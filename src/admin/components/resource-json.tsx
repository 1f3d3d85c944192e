/**
 * A resource as JSON, with a button that copies it. Hidden characters are escaped, so what is shown is what is copied.
 */
import type { StoredResource } from '../../storage/resources/directory-details.ts'
import { withEscapes } from '../hidden-characters.ts'

export function ResourceJson({ resource }: { resource: StoredResource }) {
  return (
    <details id="as-json">
      <summary>As JSON</summary>
      <p class="actions">
        <button type="button" class="quiet small" data-copy="json" aria-label="Copy JSON" hidden>
          Copy
        </button>
      </p>
      <pre id="json" tabindex={0}>
        {withEscapes(JSON.stringify({ ...resource.resource, id: resource.id }, null, 2))}
      </pre>
    </details>
  )
}
