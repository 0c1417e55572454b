/* Search when the site is opened from disk: browsers start no workers there, so a frame stands in for one.
   The idea is iframe-worker's (MIT, Martin Donath); this one writes no inline script. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      // Firefox loads the empty page later and throws away what was put into the frame before; Chromium at once.
      const loaded = new Promise(resolve => this.frame.addEventListener("load", resolve, { once: true }))
      document.body.appendChild(this.frame)
      this.ready = loaded.then(() => this.start(url))
    }
    start(url) {
      const inner = this.frame.contentWindow
      const load = address => new Promise((resolve, reject) => {
        const script = inner.document.createElement("script")
        script.src = address
        script.onload = resolve
        script.onerror = reject
        inner.document.body.appendChild(script)
      })
      inner.postMessage = data => {
        const event = new MessageEvent("message", { data })
        this.dispatchEvent(event)
        if (this.onmessage) this.onmessage(event)
      }
      inner.importScripts = (...urls) => urls.reduce((done, next) => done.then(() => load(next)), Promise.resolve())
      return load(url)
    }
    postMessage(data) {
      this.ready.then(() => {
        const inner = this.frame.contentWindow
        inner.dispatchEvent(new inner.MessageEvent("message", { data: structuredClone(data) }))
      })
    }
    terminate() { this.frame.remove() }
  }
}
