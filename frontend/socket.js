// The WebSocket as the way for pushes and for every event of the page; without it, or while it is down, events are posted.
(() => {
  const base = document.querySelector('meta[name="component-live"]')?.content;
  const live = window.components;
  if (base === undefined || !live?.use) return;

  const GRACE = 3000; // how long an event waits for the connection to come back before it is posted
  const header = (request, name) => `${request.headers[name] ?? ''}`;

  // The answer to one event, as fetch would give it.
  const over = (action, request) => new Promise((resolve, reject) => {
    const url = new URL(action, location.href);
    const [, component, , stream] = url.pathname.slice(base.length).match(/^\/([^/]+)(\/(stream))?$/);
    let feed, timer;
    const post = () => { clearTimeout(timer); fetch(action, request).then(resolve, reject); };
    const wait = {
      sent: true,
      lost: post,
      down: () => { timer = setTimeout(() => { if (!feed) { cancel(); post(); } }, GRACE); },
      reply: (frame) => { clearTimeout(timer); resolve(new Response(frame.status == 204 ? null : frame.body, frame)); },
      error: (frame) => { clearTimeout(timer); resolve(new Response(JSON.stringify(frame), { status: 500, headers: { 'HX-Reswap': 'none', 'HX-Trigger': JSON.stringify({ 'component:error': frame }) } })); },
      begin: (frame) => {
        clearTimeout(timer);
        const body = new ReadableStream({ start: (controller) => { feed = controller; }, cancel: () => cancel() });
        resolve(new Response(body.pipeThrough(new TextEncoderStream()), frame));
      },
      chunk: (text) => feed?.enqueue(text),
      end: () => feed?.close(),
    };
    const cancel = live.event({
      component, stream: !!stream, query: url.search.slice(1), body: String(request.body ?? ''), accept: header(request, 'Accept'),
      content_type: header(request, 'Content-Type') || undefined, hx: 'HX-Request' in request.headers,
      state: header(request, 'X-Component-State'), id: header(request, 'X-Component-Id'), event_id: header(request, 'X-Component-Event-Id'),
    }, wait);
    request.signal?.addEventListener('abort', () => { cancel(); reject(request.signal.reason); });
  });

  live.use((query, receive, down) => {
    const socket = new WebSocket(new URL(`${base}/ws${query}`, location.href.replace(/^http/, 'ws')));
    socket.onmessage = (event) => receive(JSON.parse(event.data));
    socket.onclose = ({ code }) => { if (code == 1008) receive({ type: 'close', code }); else down(); };
    return {
      acknowledges: true,
      send: async (messages) => { for (const message of messages) socket.send(JSON.stringify(message)); },
      close: () => socket.close(),
    };
  }, over);

  htmx.registerExtension('component-socket', {
    htmx_before_request: (elt, { ctx }) => {
      if (ctx.cf && live.open && ctx.request.method == 'POST' && ctx.request.body instanceof URLSearchParams) ctx.fetch = over;
    },
  });
})();
