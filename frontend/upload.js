// Files with a progress bar: a registered htmx 4 extension, loaded where a component takes files (docs/files.md).
// fetch tells nothing of how much it has sent; XMLHttpRequest does. Everything else about a request stays htmx's.
(() => {
  const PIECE = 1 << 20; // a file that is longer goes ahead of its form in pieces, so that it can be resumed
  const TRIES = 8; // how often a piece is sent without getting anywhere
  const flying = new Map(); // element id -> what breaks its upload off
  const rootOf = (elt) => elt.closest?.('[data-component]');

  // The bar of the root as it is now: a morph may have come in between.
  const tell = (id, loaded, total, hidden = false) => {
    const root = document.getElementById(id);
    root?.querySelectorAll('progress[data-upload]').forEach((bar) => Object.assign(bar, { max: total || 1, value: loaded, hidden }));
    root?.querySelectorAll('[data-upload-cancel]').forEach((button) => { button.hidden = hidden; });
    root?.dispatchEvent(new CustomEvent('component:progress', { detail: { loaded, total }, bubbles: true }));
  };

  const headersOf = (xhr) => new Headers(xhr.getAllResponseHeaders().trim().split(/[\r\n]+/).filter(Boolean).map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  }));

  // One request, as fetch would answer it.
  const send = (url, { method, headers, signal }, body, onprogress) => new Promise((answer, fail) => {
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.responseType = 'blob';
    xhr.upload.onprogress = onprogress;
    xhr.onload = () => answer(new Response(xhr.status == 204 ? null : xhr.response, { status: xhr.status, headers: headersOf(xhr) }));
    xhr.onerror = xhr.ontimeout = () => fail(new TypeError('The upload was cut off.'));
    xhr.onabort = () => fail(signal.reason);
    xhr.onloadend = () => signal.removeEventListener('abort', abort);
    if (signal.aborted) return fail(signal.reason);
    signal.addEventListener('abort', abort);
    xhr.send(body);
  });

  const pause = (ms, signal) => new Promise((done, fail) => {
    const over = () => { clearTimeout(timer); removeEventListener('online', over); signal.removeEventListener('abort', stop); done(); };
    const stop = () => { over(); fail(signal.reason); };
    const timer = setTimeout(over, ms);
    addEventListener('online', over);
    signal.addEventListener('abort', stop);
  });

  // What has been begun, kept for as long as the tab: another try goes on where the last one was cut off.
  const kept = (key, token) => {
    try {
      if (token === undefined) return sessionStorage.getItem(key);
      token ? sessionStorage.setItem(key, token) : sessionStorage.removeItem(key);
    } catch {} // storage is off: an upload that was cut off begins anew
  };

  // Sends a file ahead. Gives its token, or the server's refusal.
  const sendAhead = async (key, url, request, field, file, progress) => {
    const ask = (step, body, type, onprogress) => {
      const headers = { ...request.headers, 'X-Component-Upload': step, 'Content-Type': type || 'application/partial-upload' };
      return send(url, { ...request, headers }, body, onprogress);
    };
    let token = kept(key), offset = token ? undefined : 0, most = PIECE;
    for (let tries = 0; ;) {
      let answer, wait;
      try {
        if (!token) answer = await ask('new', JSON.stringify({ field, name: file.name, type: file.type, size: file.size }), 'application/json');
        else if (offset === undefined) answer = await ask(token, '');
        else answer = await ask(`${token}; offset=${offset}`, file.slice(offset, offset + most), '', ({ loaded }) => progress(offset + loaded));
      } catch (error) {
        if (request.signal.aborted) throw error;
      }
      if (answer?.ok) {
        const said = await answer.json();
        if (said.upload) kept(key, token = said.upload);
        if (said.most) most = Math.min(most, said.most);
        if (said.offset > offset || said.upload) tries = 0;
        progress(offset = said.offset);
        if (offset >= file.size) return token;
        continue;
      }
      if (answer?.status == 422 && token) return token; // the form tells the visitor, at its field
      const gone = token && (answer?.status == 404 || answer?.status == 400);
      const passes = !answer || answer.status == 409 || answer.status == 429 || answer.status >= 502;
      if ((!gone && !passes) || ++tries > TRIES) {
        if (answer) return answer;
        throw new TypeError('The upload was cut off.');
      }
      if (gone) kept(key, token = '');
      else wait = Math.max(250 * 2 ** tries, 1000 * answer?.headers.get('Retry-After') || 0);
      offset = token ? undefined : 0;
      if (wait) await pause(wait, request.signal);
    }
  };

  // What has been handled is not chosen any more: the next Send would send it once more.
  const clear = (elt) => (elt.form || elt.closest('form') || elt).querySelectorAll('input[type=file]').forEach((input) => { input.value = ''; });

  const sendForm = async (elt, id, url, request) => {
    const breaker = new AbortController();
    const cut = () => breaker.abort(new DOMException('The upload was cancelled.', 'AbortError'));
    request.signal?.addEventListener('abort', cut);
    if (request.signal?.aborted) cut();
    flying.set(id, cut);
    const own = { ...request, signal: breaker.signal };
    const entries = [...request.body], keys = [], body = new FormData();
    const total = entries.reduce((sum, [, { size = 0 }]) => sum + size, 0);
    let ahead = 0, loaded = 0;
    const progress = (now) => tell(id, loaded = Math.min(Math.max(now, loaded), total), total);
    try {
      for (const [index, [name, value]] of entries.entries()) {
        if (!(value.size > PIECE)) {
          value.size === undefined ? body.append(name, value) : body.append(name, value, value.name);
          continue;
        }
        const key = ['upload', url, name, index, value.name, value.size, value.lastModified].join();
        const token = await sendAhead(key, url, own, name, value, (done) => progress(ahead + done));
        if (token instanceof Response) return token;
        keys.push(key);
        ahead += value.size;
        body.append(name, token);
      }
      const answer = await send(url, own, body, (event) => progress(ahead + event.loaded / (event.total || 1) * (total - ahead)));
      if (answer.ok) {
        keys.forEach((key) => kept(key, ''));
        clear(elt);
      }
      return answer;
    } finally {
      flying.delete(id);
      request.signal?.removeEventListener('abort', cut);
      tell(id, loaded, total, true);
    }
  };

  const added = htmx.registerExtension('upload', {
    htmx_before_request: (elt, { ctx }) => {
      const { body } = ctx.request;
      const id = rootOf(elt)?.id;
      if (id && body instanceof FormData && [...body.values()].some((value) => value.size)) ctx.fetch = (url, request) => sendForm(elt, id, url, request);
    },
  });
  if (added === false) return; // loaded twice

  // Small pictures of what was chosen. A canvas needs no blob: address, which `default-src 'self'` would refuse.
  const preview = async (input) => {
    const place = rootOf(input)?.querySelector('[data-upload-preview]');
    if (!place) return;
    place.replaceChildren();
    for (const file of input.files) {
      const picture = file.type.startsWith('image/') && await createImageBitmap(file, { resizeWidth: 160, resizeQuality: 'medium' }).catch(() => 0);
      if (!picture) continue;
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width: picture.width, height: picture.height, title: file.name });
      canvas.setAttribute('role', 'img');
      canvas.setAttribute('aria-label', file.name);
      canvas.getContext('2d').drawImage(picture, 0, 0);
      place.append(canvas);
    }
  };

  const dropOf = (event) => event.dataTransfer?.types.includes('Files') && event.target.closest?.('[data-upload-drop]');
  const mark = (event, over) => {
    const place = dropOf(event);
    if (!place) return;
    event.preventDefault();
    place.classList.toggle('upload-over', over);
    return place.querySelector('input[type=file]');
  };
  document.addEventListener('dragover', (event) => { mark(event, true); });
  document.addEventListener('dragleave', (event) => { mark(event, false); });
  document.addEventListener('drop', (event) => {
    const input = mark(event, false);
    if (!input) return;
    const chosen = new DataTransfer();
    [...event.dataTransfer.files].slice(0, input.multiple ? undefined : 1).forEach((file) => chosen.items.add(file));
    input.files = chosen.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  });
  document.addEventListener('change', ({ target }) => { if (target.type == 'file') preview(target); });
  document.addEventListener('click', ({ target }) => {
    if (target.closest?.('[data-upload-cancel]')) flying.get(rootOf(target)?.id)?.();
  });
})();
