/* The colours a reader chose, or the system's, before the first paint (after Material for MkDocs, MIT). */
(() => {
  const chosen = __md_get("__palette")
  let color = chosen && chosen.color
  if (!color) {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches
    const input = document.querySelector(`[data-md-color-media="(prefers-color-scheme: ${dark ? "dark" : "light"})"]`)
    color = input && { scheme: input.getAttribute("data-md-color-scheme") }
  }
  for (const [key, value] of Object.entries(color || {}))
    document.body.setAttribute("data-md-color-" + key, value)
})()
