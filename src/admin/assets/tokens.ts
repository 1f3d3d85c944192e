/**
 * The values that the style sheet is made of: colours, space, type, corners. style.ts uses these names only, and
 * test/dashboard-style.test.ts checks it.
 *
 * Each colour has its light and its dark value. Text on its background has a contrast of 4.5 at least, the outline of a
 * control 3 (WCAG 2.2, 1.4.3 and 1.4.11).
 */
export const TOKENS = `:root {
  color-scheme: light dark;
  --page: light-dark(#f5f6f8, #0e1116);
  --surface: light-dark(#fff, #161b22);
  --sunken: light-dark(#f0f2f5, #0e1116);
  --control: light-dark(#fff, #0e1116);
  --line: light-dark(#dde1e7, #2b323c);
  --line-strong: light-dark(#7f8998, #707a88);
  --text: light-dark(#1b2028, #e5e9ef);
  --muted: light-dark(#586273, #9ba5b3);
  --accent: light-dark(#0b5fcc, #74b1ff);
  --current: light-dark(#e4eefc, #1c2f4d);
  --current-text: light-dark(#084a9f, #a8cfff);
  --fill: light-dark(#0b5fcc, #2068cf);
  --fill-hover: light-dark(#094ea8, #1b5cb8);
  --fill-danger: #b0241c;
  --fill-danger-hover: #8f1c15;
  --on-fill: #fff;
  --ok: light-dark(#146c3a, #5fd08f);
  --ok-soft: light-dark(#e3f4e9, #12301f);
  --warn: light-dark(#7d4f00, #f2bd57);
  --warn-soft: light-dark(#fdf1d8, #33260c);
  --danger: light-dark(#b0241c, #ff938a);
  --danger-soft: light-dark(#fdeae8, #3a1715);
  --off-soft: light-dark(#eaedf1, #232a33);
  --creates: light-dark(#1d8a5b, #3fb27f);
  --updates: light-dark(#2f74d0, #5b9df0);
  --disables: light-dark(#b87400, #d9a03c);
  --deletes: light-dark(#7a56c2, #a587e8);
  --refused: light-dark(#cf3a30, #f0655b);
  --toast: light-dark(#1b2028, #e5e9ef);
  --toast-text: light-dark(#fff, #0e1116);
  --brand: #0b5fcc;
  --veil: rgb(0 0 0 / .45);
  --shadow: 0 4px 18px rgb(0 0 0 / .22);

  --space-1: .125rem;
  --space-2: .25rem;
  --space-3: .5rem;
  --space-4: .75rem;
  --space-5: 1rem;
  --space-6: 1.25rem;
  --space-7: 1.5rem;
  --space-8: 2rem;
  --space-9: 4rem;

  --text-tiny: .8rem;
  --text-small: .875rem;
  --text-body: .935rem;
  --text-code: .88em;
  --text-base: 1rem;
  --text-title: 1.075rem;
  --text-large: 1.25rem;
  --text-heading: 1.6rem;
  --text-figure: 1.9rem;
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
  --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', 'Noto Sans', 'Noto Sans Arabic', sans-serif;

  --corner-small: 5px;
  --corner: 7px;
  --corner-large: 10px;
  --corner-round: 99px;
  accent-color: var(--fill);
}
`
