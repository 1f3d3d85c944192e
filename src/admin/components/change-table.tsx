/**
 * Changed attributes of a resource, with their values before and after.
 */
import type { AttributeChange } from '../../scim/changes.ts'
import { ValueText } from './value.tsx'

export function ChangeTable({ changes }: { readonly changes: readonly AttributeChange[] }) {
  return (
    <section class="scroll" tabindex={0} aria-label="Changed attributes">
      <table class="stack compact changes">
        <thead>
          <tr>
            <th scope="col">Attribute</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {changes.map((change) => (
            <tr>
              <th scope="row">
                <code>{change.attribute}</code>
              </th>
              <td data-label="Before">
                <ValueText value={change.old} />
              </td>
              <td data-label="After">
                <ValueText value={change.new} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
