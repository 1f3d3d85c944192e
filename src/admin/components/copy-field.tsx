/**
 * A value to copy. The script shows the button; without the script, the value can be selected.
 */
export function CopyField({ id, label, value }: { id: string; label: string; value: string }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="copy">
        <input id={id} class="mono" value={value} readonly spellcheck={false} autocomplete="off" />
        <button type="button" class="quiet" data-copy={id} aria-label={`Copy ${label}`} hidden>
          Copy
        </button>
      </div>
    </div>
  )
}
