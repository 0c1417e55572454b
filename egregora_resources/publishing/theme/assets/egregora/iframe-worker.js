/* Search when the site is opened from disk: browsers start no workers there, so a frame stands in for one.
   The idea is iframe-worker's (MIT, Martin Donath); this one writes no inline script. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.appendChild(frame)
      this.frame = frame
      const inner = frame.contentWindow
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
      this.ready = load(url)
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
