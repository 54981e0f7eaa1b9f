// Files with a progress bar: a registered htmx 4 extension, loaded where a component takes files (docs/files.md).
// fetch tells nothing of how much it has sent; XMLHttpRequest does. Everything else about a request stays htmx's.
(() => {
  const flying = new Map();
  const rootOf = (elt) => elt.closest?.('[data-component]');
  const byId = (id) => document.getElementById(id);

  // The bar of the root as it is now: a morph may have come in between.
  const tell = (id, loaded, total) => {
    const root = byId(id);
    const done = loaded == total;
    root?.querySelectorAll('progress[data-upload]').forEach((bar) => {
      bar.max = total || 1;
      bar.value = loaded;
      bar.hidden = done;
    });
    root?.querySelectorAll('[data-upload-cancel]').forEach((button) => { button.hidden = done; });
    root?.dispatchEvent(new CustomEvent('component:progress', { detail: { loaded, total }, bubbles: true }));
  };

  const headersOf = (xhr) => new Headers(xhr.getAllResponseHeaders().trim().split(/[\r\n]+/).filter(Boolean).map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  }));

  const send = (id, url, request) => new Promise((answer, fail) => {
    const xhr = new XMLHttpRequest();
    const aborted = () => fail(new DOMException('The upload was cancelled.', 'AbortError'));
    xhr.open(request.method, url);
    for (const [name, value] of Object.entries(request.headers)) xhr.setRequestHeader(name, value);
    xhr.responseType = 'blob';
    xhr.upload.onprogress = ({ loaded, total }) => tell(id, loaded, total);
    xhr.onload = () => answer(new Response(xhr.status == 204 ? null : xhr.response, { status: xhr.status, headers: headersOf(xhr) }));
    xhr.onerror = xhr.ontimeout = () => fail(new TypeError('The upload was cut off.'));
    xhr.onabort = aborted;
    if (request.signal?.aborted) return aborted();
    request.signal?.addEventListener('abort', () => xhr.abort());
    flying.set(id, xhr);
    xhr.onloadend = () => {
      flying.delete(id);
      tell(id, 1, 1);
    };
    xhr.send(request.body);
  });

  htmx.registerExtension('upload', {
    htmx_before_request: (elt, { ctx }) => {
      const { body } = ctx.request;
      const id = rootOf(elt)?.id;
      if (id && body instanceof FormData && [...body.values()].some((value) => value.size)) ctx.fetch = (url, request) => send(id, url, request);
    },
  });

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
    if (target.closest?.('[data-upload-cancel]')) flying.get(rootOf(target)?.id)?.abort();
  });
})();
