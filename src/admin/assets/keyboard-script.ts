/**
 * The part of the script for the keyboard, and for the search of tenants in the sidebar. A shortcut is one character, so it
 * can be turned off (WCAG 2.2, 2.1.4), and never acts while one types.
 */
export const KEYBOARD_SCRIPT = `
const SEQUENCE_MS = 1500
const OFF = 'scim-worker-shortcuts-off'
const stored = {
  get isOff() {
    try {
      return localStorage.getItem(OFF) !== null
    } catch {
      return false
    }
  },
  set isOff(off) {
    try {
      if (off) localStorage.setItem(OFF, '1')
      else localStorage.removeItem(OFF)
    } catch {}
  },
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

const pageLinks = () => [...document.querySelectorAll('nav a[data-key]')]
const searchField = () => [...document.querySelectorAll('main input[name=q]')].find((field) => field.checkVisibility())

function keys(text) {
  return text.split(' ').flatMap((key, i) => (i === 0 ? [element('kbd', {}, key)] : [' then ', element('kbd', {}, key)]))
}

let help
function showHelp() {
  help ??= makeHelp()
  help.querySelector('input').checked = !stored.isOff
  help.showModal()
}

function makeHelp() {
  const rows = [['/', 'Search'], ['?', 'This list'], ...pageLinks().map((link) => ['g ' + link.dataset.key, link.textContent])]
  const list = element('dl', {})
  for (const [shortcut, does] of rows) list.append(element('dt', {}, ...keys(shortcut)), element('dd', {}, does))
  const box = element('input', { type: 'checkbox' })
  box.addEventListener('change', () => (stored.isOff = !box.checked))
  const form = element('form', { method: 'dialog' }, element('label', { className: 'check' }, box, 'Use these shortcuts'), element('button', { className: 'quiet' }, 'Close'))
  const title = element('h2', { id: 'help-title' }, 'Keyboard shortcuts')
  const dialog = element('dialog', { className: 'help' }, title, list, form)
  dialog.setAttribute('aria-labelledby', title.id)
  document.body.append(dialog)
  return dialog
}

function isTyping(target) {
  return target.isContentEditable || target.closest('input, select, textarea, dialog') !== null
}

function shortcuts() {
  const button = document.getElementById('shortcuts')
  if (!button) return
  button.hidden = false
  button.addEventListener('click', showHelp)
  let goUntil = 0
  document.addEventListener('keydown', (event) => {
    const { key, target } = event
    const isGoing = event.timeStamp < goUntil
    goUntil = 0
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || stored.isOff || isTyping(target)) return
    const link = isGoing ? pageLinks().find((link) => link.dataset.key === key) : undefined
    if (key === 'g' && !isGoing) goUntil = event.timeStamp + SEQUENCE_MS
    else if (link) link.click()
    else if (isGoing || !Object.hasOwn(actions, key)) return
    else actions[key]()
    event.preventDefault()
  })
}

const actions = {
  '?': showHelp,
  '/'() {
    const field = searchField()
    if (!field) return document.querySelector('nav a[data-search]')?.click()
    field.focus()
    field.select()
  },
}

// Shows the tenants that match while one types. Without the script, Enter opens a page with them.
function tenantSearch() {
  const form = document.querySelector('form[data-tenants]')
  if (!form) return
  const [field, found] = [form.elements.q, form.querySelector('.switch-found')]
  let timer
  const find = async () => {
    const answer = await fetch(form.action + '?q=' + encodeURIComponent(field.value), { headers: { Accept: 'text/html' } })
    if (!answer.ok || answer.redirected) return
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const links = [...page.querySelectorAll('#all tbody th a')].slice(0, 8)
    found.replaceChildren(...links.map((link) => element('li', {}, link)))
  }
  field.addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(() => find().catch(() => undefined), 200)
  })
  form.closest('details').addEventListener('toggle', ({ target }) => target.open && field.focus())
}

shortcuts()
tenantSearch()
`
