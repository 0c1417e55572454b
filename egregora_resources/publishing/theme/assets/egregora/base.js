/* What Material for MkDocs writes into every page as an inline script (MIT, Martin Donath), as a file, so that
   the pages' content security policy can forbid inline scripts altogether. */
var __md_scope = new URL(document.currentScript.dataset.base, location)
var __md_hash = text => [...text].reduce((hash, c) => (hash << 5) - hash + c.charCodeAt(0), 0)
var __md_get = (key, storage = localStorage, scope = __md_scope) => {
  try { return JSON.parse(storage.getItem(scope.pathname + "." + key)) } catch (error) { return null }
}
var __md_set = (key, value, storage = localStorage, scope = __md_scope) => {
  try { storage.setItem(scope.pathname + "." + key, JSON.stringify(value)) } catch (error) { /* no storage */ }
}
